// SPDX-License-Identifier: Apache-2.0
package example;

import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;

/** A table of H2, whose rows count up from 1. */
final class Rows {

    private final Connection connection;

    private Rows(Connection connection) {
        this.connection = connection;
    }

    static Rows open(Path file) throws SQLException {
        Connection connection = DriverManager.getConnection("jdbc:h2:" + file);
        try (Statement statement = connection.createStatement()) {
            statement.execute("create table if not exists notes (id identity primary key, text varchar)");
        }
        connection.setAutoCommit(false);
        return new Rows(connection);
    }

    /** Each row is a transaction of its own; the last word has them stored. */
    synchronized String insert(int count) throws SQLException {
        try (PreparedStatement insert = connection.prepareStatement("insert into notes (text) values (?)");
                Statement statement = connection.createStatement()) {
            for (int i = 0; i < count; i++) {
                insert.setString(1, "row " + (count(statement) + 1));
                insert.executeUpdate();
                connection.commit();
            }
            statement.execute("checkpoint sync");
            return count(statement) + " rows";
        }
    }

    private static int count(Statement statement) throws SQLException {
        try (ResultSet result = statement.executeQuery("select count(*) from notes")) {
            result.next();
            return result.getInt(1);
        }
    }

    /** The text of each row says how many there were. */
    synchronized String check() throws SQLException {
        int count = 0;
        try (Statement statement = connection.createStatement();
                ResultSet rows = statement.executeQuery("select text from notes order by id")) {
            while (rows.next()) {
                count++;
                if (!rows.getString(1).equals("row " + count)) {
                    return rows.getString(1) + " is number " + count;
                }
            }
        }
        return count + " rows";
    }
}
