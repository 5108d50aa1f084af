// SPDX-License-Identifier: Apache-2.0
package example;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.InputStream;
import java.math.BigDecimal;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.sql.Array;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Savepoint;
import java.sql.Statement;
import java.time.LocalDate;
import java.time.LocalDateTime;
import java.time.LocalTime;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Random;
import java.util.UUID;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.postgresql.PGConnection;
import org.postgresql.PGNotification;
import org.postgresql.copy.CopyManager;
import org.postgresql.largeobject.LargeObject;
import org.postgresql.largeobject.LargeObjectManager;

/** What programs do with a database. Each gives back what it found; what comes back of contents is compared here. */
final class Exercises {

    private static final int CONNECTIONS = 5;
    private static final List<String> TEXTS = List.of("Grüße an Jürgen", "Ελλάδα", "Київ", "世界", "שלום", "नमस्ते",
            "🙂👩‍👩‍👧", "e\u0301 is not é", "tab\tquote'backslash\\", "x".repeat(100_000), "");
    private HikariDataSource pool;

    /** Through a pool that every other exercise uses. */
    String connect(String server) throws SQLException {
        HikariConfig config = new HikariConfig();
        config.setJdbcUrl("jdbc:postgresql://" + server + "/postgres?reWriteBatchedInserts=true&tcpKeepAlive=true");
        config.setUsername("test");
        config.setPassword("test");
        config.setMaximumPoolSize(CONNECTIONS);
        config.setConnectionTimeout(600_000);
        config.setValidationTimeout(300_000);
        pool = new HikariDataSource(config);
        for (String sql : List.of("drop table if exists items",
                "create table items (id serial primary key, text text, number int)", "drop table if exists files",
                "create table files (name text primary key, content bytea)",
                "drop table if exists counters", "create table counters (name text primary key, value int)")) {
            execute(sql);
        }
        return text("select current_setting('server_encoding') || ' ' || current_setting('client_encoding')"
                + " || ' ' || current_user");
    }

    private void execute(String sql) throws SQLException {
        try (Connection connection = pool.getConnection(); Statement statement = connection.createStatement()) {
            statement.execute(sql);
        }
    }

    /** The one value of a query. */
    private String text(String sql) throws SQLException {
        try (Connection connection = pool.getConnection()) {
            return text(connection, sql);
        }
    }

    private static String text(Connection connection, String sql) throws SQLException {
        try (Statement statement = connection.createStatement(); ResultSet result = statement.executeQuery(sql)) {
            result.next();
            return result.getString(1);
        }
    }

    private static void require(boolean equal, String what) {
        if (!equal) {
            throw new AssertionError(what + " came back otherwise than it was sent");
        }
    }

    private static byte[] random(int length) {
        byte[] bytes = new byte[length];
        new Random(length).nextBytes(bytes);
        return bytes;
    }

    private static String digest(String algorithm, byte[] content) throws Exception {
        return HexFormat.of().formatHex(MessageDigest.getInstance(algorithm).digest(content));
    }

    List<Object> types() throws SQLException {
        try (Connection connection = pool.getConnection(); PreparedStatement query = connection.prepareStatement(
                "select ?::numeric, ?::uuid, ?::jsonb ->> 'k', ?::int[], ?::float8, ?::bool, ?::bigint, null::text")) {
            query.setBigDecimal(1, new BigDecimal("12345678901234567890.123456789"));
            query.setObject(2, UUID.fromString("123e4567-e89b-12d3-a456-426614174000"));
            query.setString(3, "{\"k\": [1, \"é\"]}");
            Array array = connection.createArrayOf("int4", new Integer[] {1, null, -3});
            query.setArray(4, array);
            query.setDouble(5, Double.MIN_VALUE);
            query.setBoolean(6, true);
            query.setLong(7, Long.MIN_VALUE);
            try (ResultSet row = query.executeQuery()) {
                row.next();
                return Arrays.asList(row.getBigDecimal(1), row.getObject(2, UUID.class), row.getString(3),
                        Arrays.toString((Integer[]) row.getArray(4).getArray()), row.getDouble(5), row.getBoolean(6),
                        row.getLong(7), row.getString(8));
            }
        }
    }

    String batch(int rows) throws Exception {
        StringBuilder all = new StringBuilder();
        try (Connection connection = pool.getConnection()) {
            connection.setAutoCommit(false);
            try (PreparedStatement insert = connection.prepareStatement(
                    "insert into items (text, number) values (?, ?)")) {
                for (int i = 0; i < rows; i++) {
                    insert.setString(1, "row " + i);
                    insert.setInt(2, i);
                    insert.addBatch();
                    all.append("row ").append(i).append(',');
                }
                insert.executeBatch();
            }
            String there = text(connection, "select md5(string_agg(text || ',', '' order by number)) from items");
            require(there.equals(digest("MD5", all.toString().getBytes(StandardCharsets.UTF_8))), "a batch");
            connection.commit();
        }
        String found = text("select count(*) || ' ' || sum(number) || ' ' || min(id) || ' ' || max(id) from items");
        execute("delete from items");
        return found;
    }

    String bytes(int length) throws Exception {
        byte[] content = random(length);
        try (Connection connection = pool.getConnection();
                PreparedStatement insert = connection.prepareStatement("insert into files values ('data', ?)");
                PreparedStatement query = connection.prepareStatement(
                        "select content, encode(sha256(content), 'hex') from files")) {
            insert.setBinaryStream(1, new ByteArrayInputStream(content), length);
            insert.executeUpdate();
            try (ResultSet row = query.executeQuery()) {
                row.next();
                require(Arrays.equals(content, row.getBytes(1)), "a value of " + length + " bytes");
                require(digest("SHA-256", content).equals(row.getString(2)), "a value of " + length + " bytes");
                return row.getString(2);
            }
        }
    }

    String largeObject(int length) throws Exception {
        byte[] content = random(length);
        try (Connection connection = pool.getConnection()) {
            connection.setAutoCommit(false);
            LargeObjectManager manager = connection.unwrap(PGConnection.class).getLargeObjectAPI();
            long id = manager.createLO();
            try (LargeObject object = manager.open(id)) {
                try (var out = object.getOutputStream()) {
                    out.write(content);
                }
            }
            connection.commit();
            try (LargeObject object = manager.open(id)) {
                object.seek(length / 2);
                byte[] half = object.read(1000);
                require(Arrays.equals(half, Arrays.copyOfRange(content, length / 2, length / 2 + 1000)), "a piece");
                object.seek(0);
                try (InputStream in = object.getInputStream()) {
                    require(Arrays.equals(content, in.readAllBytes()), "a large object");
                }
            }
            try (LargeObject object = manager.open(id)) {
                object.truncate(10);
            }
            String left = text(connection, "select encode(lo_get(" + id + "), 'hex')");
            manager.delete(id);
            connection.commit();
            require(left.equals(HexFormat.of().formatHex(content, 0, 10)), "a truncated object");
            return left;
        }
    }

    List<Object> times() throws SQLException {
        List<Object> found = new ArrayList<>();
        List<LocalDateTime> moments = List.of(LocalDateTime.of(2024, 2, 29, 23, 59, 59, 999_999_000),
                LocalDateTime.of(1969, 12, 31, 23, 59, 59, 1000), LocalDateTime.of(1, 1, 1, 0, 0),
                LocalDateTime.of(9999, 12, 31, 0, 0));
        try (Connection connection = pool.getConnection(); PreparedStatement query = connection.prepareStatement(
                "select ?::timestamp, ?::timestamptz, ?::date, ?::time, extract(epoch from ?::timestamptz)::text")) {
            for (LocalDateTime moment : moments) {
                OffsetDateTime offset = moment.atOffset(ZoneOffset.UTC);
                query.setObject(1, moment);
                query.setObject(2, offset);
                query.setObject(3, moment.toLocalDate());
                query.setObject(4, moment.toLocalTime());
                query.setObject(5, offset);
                try (ResultSet row = query.executeQuery()) {
                    row.next();
                    require(moment.equals(row.getObject(1, LocalDateTime.class)), "a timestamp");
                    require(offset.isEqual(row.getObject(2, OffsetDateTime.class)), "a timestamp with time zone");
                    require(moment.toLocalDate().equals(row.getObject(3, LocalDate.class)), "a date");
                    require(moment.toLocalTime().equals(row.getObject(4, LocalTime.class)), "a time");
                    found.add(row.getString(5));
                }
            }
            return found;
        }
    }

    String texts() throws Exception {
        try (Connection connection = pool.getConnection(); PreparedStatement insert = connection.prepareStatement(
                "insert into items (text) values (?) returning text, char_length(text), octet_length(text)")) {
            StringBuilder lengths = new StringBuilder();
            for (String text : TEXTS) {
                insert.setString(1, text);
                try (ResultSet row = insert.executeQuery()) {
                    row.next();
                    require(text.equals(row.getString(1)), text);
                    require(text.codePointCount(0, text.length()) == row.getInt(2), "the length of " + text);
                    lengths.append(row.getInt(3)).append(' ').append(text.length() < 100 ? text : "long").append('\n');
                }
            }
            execute("delete from items");
            return lengths.toString();
        }
    }

    /** What is rolled back, to the start and to a savepoint, is gone, also for other connections. */
    String rollback() throws SQLException {
        try (Connection connection = pool.getConnection()) {
            connection.setAutoCommit(false);
            connection.setTransactionIsolation(Connection.TRANSACTION_SERIALIZABLE);
            insert(connection, "kept");
            Savepoint savepoint = connection.setSavepoint();
            insert(connection, "dropped");
            connection.rollback(savepoint);
            String elsewhere = text("select count(*) from items");
            connection.commit();
            insert(connection, "dropped, too");
            String before = text(connection, "select count(*) from items");
            connection.rollback();
            String after = text("select string_agg(text, ', ') from items");
            execute("delete from items");
            return elsewhere + " " + before + " " + after;
        }
    }

    private static void insert(Connection connection, String text) throws SQLException {
        try (PreparedStatement insert = connection.prepareStatement("insert into items (text) values (?)")) {
            insert.setString(1, text);
            insert.executeUpdate();
        }
    }

    String constraint() throws SQLException {
        try (Connection connection = pool.getConnection()) {
            connection.setAutoCommit(false);
            try (Statement statement = connection.createStatement()) {
                statement.executeUpdate("insert into counters values ('a', 1), ('a', 2)");
                throw new AssertionError("two rows with one key");
            } catch (SQLException e) {
                String first = e.getSQLState();
                connection.rollback();
                return first + " " + e.getMessage();
            }
        }
    }

    String copy(int rows) throws Exception {
        StringBuilder lines = new StringBuilder();
        for (int i = 1; i <= rows; i++) {
            lines.append(i).append('\t').append("Zeile ").append(i).append(" – 行\t").append(i % 7).append('\n');
        }
        byte[] content = lines.toString().getBytes(StandardCharsets.UTF_8);
        try (Connection connection = pool.getConnection()) {
            CopyManager copies = connection.unwrap(PGConnection.class).getCopyAPI();
            long in = copies.copyIn("copy items (id, text, number) from stdin", new ByteArrayInputStream(content));
            ByteArrayOutputStream back = new ByteArrayOutputStream();
            long out = copies.copyOut("copy (select id, text, number from items order by id) to stdout", back);
            require(Arrays.equals(content, back.toByteArray()), "a copy");
            execute("delete from items");
            return in + " " + out + " " + digest("SHA-256", back.toByteArray());
        }
    }

    /** Row by row from the server, a hundred at a time. */
    long cursor(int rows) throws SQLException {
        try (Connection connection = pool.getConnection()) {
            connection.setAutoCommit(false);
            long sum = 0;
            try (PreparedStatement query = connection.prepareStatement(
                    "select n, repeat('x', 100) from generate_series(1, ?) n")) {
                query.setFetchSize(100);
                query.setInt(1, rows);
                try (ResultSet row = query.executeQuery()) {
                    while (row.next()) {
                        sum += row.getInt(1) + row.getString(2).length();
                    }
                }
            }
            connection.commit();
            return sum;
        }
    }

    /** More threads than connections, each adding one under a lock of the row. */
    String concurrent(int threads) throws Exception {
        execute("insert into counters values ('shared', 0)");
        ExecutorService executor = Executors.newFixedThreadPool(threads);
        try {
            List<Future<?>> all = new ArrayList<>();
            for (int i = 0; i < threads; i++) {
                all.add(executor.submit(() -> {
                    for (int j = 0; j < 5; j++) {
                        addOne();
                    }
                    return null;
                }));
            }
            for (Future<?> one : all) {
                one.get();
            }
        } finally {
            executor.shutdown();
        }
        return text("select value from counters where name = 'shared'");
    }

    private void addOne() throws SQLException {
        try (Connection connection = pool.getConnection()) {
            connection.setAutoCommit(false);
            int value = Integer.parseInt(text(connection,
                    "select value from counters where name = 'shared' for update"));
            try (PreparedStatement update = connection.prepareStatement(
                    "update counters set value = ? where name = 'shared'")) {
                update.setInt(1, value + 1);
                update.executeUpdate();
            }
            connection.commit();
        }
    }

    /** The driver asks for it over a connection of its own. */
    String cancel() throws SQLException {
        try (Connection connection = pool.getConnection(); Statement statement = connection.createStatement()) {
            statement.setQueryTimeout(1);
            try {
                statement.execute("select pg_sleep(36000)");
                throw new AssertionError("ten hours passed");
            } catch (SQLException e) {
                return e.getSQLState() + " " + text(connection, "select 'and the connection lives'");
            }
        }
    }

    String notification() throws SQLException {
        try (Connection connection = pool.getConnection()) {
            try (Statement statement = connection.createStatement()) {
                statement.execute("listen news");
            }
            execute("notify news, 'Grüße'");
            PGNotification[] received = connection.unwrap(PGConnection.class).getNotifications(600_000);
            try (Statement statement = connection.createStatement()) {
                statement.execute("unlisten news");
            }
            return received.length + " " + received[0].getName() + " " + received[0].getParameter();
        }
    }

    /** The server ends a connection of the pool, which then makes a new one. */
    String lost() throws SQLException {
        String state;
        try (Connection connection = pool.getConnection(); Statement statement = connection.createStatement()) {
            String own = text(connection, "select pg_backend_pid()");
            execute("select pg_terminate_backend(pid) from pg_stat_activity where pid in (" + own + ")");
            statement.execute("select 1");
            throw new AssertionError("a connection without its backend answers");
        } catch (SQLException e) {
            state = e.getSQLState();
        }
        return state + " " + text("select 'connected again'");
    }

    String close() throws SQLException {
        pool.close();
        return "closed " + pool.isClosed();
    }
}
