// SPDX-License-Identifier: Apache-2.0
package example;

import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import org.hsqldb.server.Server;

/** HSQLDB as a server with files, and DuckDB, whose engine is native code. */
final class Databases {

    private Databases() {
    }

    private static String number(Statement statement, String query) throws SQLException {
        try (ResultSet result = statement.executeQuery(query)) {
            result.next();
            return result.getString(1);
        }
    }

    static String hsqldb(int rows) throws Exception {
        Path directory = Files.createTempDirectory("hsqldb");
        Server server = new Server();
        server.setAddress("127.0.0.1");
        server.setPort(9001);
        server.setSilent(true);
        server.setDatabaseName(0, "notes");
        server.setDatabasePath(0, "file:" + directory + "/notes");
        server.start();
        try (Connection connection = DriverManager.getConnection("jdbc:hsqldb:hsql://127.0.0.1:9001/notes", "SA", "");
                Statement statement = connection.createStatement()) {
            statement.execute("create cached table notes (id int primary key, text varchar(200))");
            for (int i = 0; i < rows; i++) {
                statement.executeUpdate("insert into notes values (" + i + ", 'Grüße " + i + "')");
            }
            statement.execute("checkpoint");
            return number(statement, "select count(*) from notes") + " rows, "
                    + number(statement, "select max(text) from notes");
        } finally {
            server.shutdown();
        }
    }

    static String duckdb(int rows) throws Exception {
        Path file = Files.createTempDirectory("duckdb").resolve("table.parquet");
        try (Connection connection = DriverManager.getConnection("jdbc:duckdb:");
                Statement statement = connection.createStatement()) {
            statement.execute("create table numbers as select range as n, range % 7 as r from range(" + rows + ")");
            statement.execute("copy numbers to '" + file + "' (format parquet)");
            return number(statement, "select sum(n) from '" + file + "' where r = 3") + ", "
                    + number(statement, "select count(distinct r) from numbers");
        }
    }
}
