// SPDX-License-Identifier: Apache-2.0
package example;

import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;

/** H2 with a database in files. */
final class Database {

    private Database() {
    }

    /** Adds rows; the connection is the only one, so the database is closed and opened again by the next call. */
    static String store(String file, int rows) throws SQLException {
        try (Connection connection = DriverManager.getConnection("jdbc:h2:" + file)) {
            try (Statement statement = connection.createStatement()) {
                statement.execute("create table if not exists notes (id identity primary key, text varchar)");
            }
            connection.setAutoCommit(false);
            try (PreparedStatement insert = connection.prepareStatement("insert into notes (text) values (?)")) {
                for (int i = 0; i < rows; i++) {
                    insert.setString(1, "Grüße, 世界 " + i);
                    insert.addBatch();
                }
                insert.executeBatch();
            }
            connection.commit();
            try (Statement statement = connection.createStatement();
                    ResultSet result = statement.executeQuery("select count(*), sum(length(text)) from notes")) {
                result.next();
                return result.getInt(1) + " rows, " + result.getInt(2) + " characters";
            }
        }
    }
}
