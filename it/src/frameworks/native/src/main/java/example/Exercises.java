// SPDX-License-Identifier: Apache-2.0
package example;

import com.github.luben.zstd.Zstd;
import com.sun.jna.Callback;
import com.sun.jna.Library;
import com.sun.jna.Memory;
import com.sun.jna.Native;
import com.sun.jna.Pointer;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.Arrays;
import java.util.Random;
import jnr.posix.FileStat;
import jnr.posix.POSIX;
import jnr.posix.POSIXFactory;
import org.rocksdb.FlushOptions;
import org.rocksdb.Options;
import org.rocksdb.RocksDB;
import org.rocksdb.RocksDBException;
import org.rocksdb.RocksIterator;
import org.xerial.snappy.Snappy;

/** What programs do with native code. Each gives back what it found; what comes back of contents is compared here. */
final class Exercises {

    private Exercises() {
    }

    private interface LibC extends Library {
        LibC INSTANCE = Native.load("c", LibC.class);

        int strlen(String text);

        int getpagesize();

        int open(String path, int flags);

        void qsort(Pointer base, long count, long size, Order order);

        interface Order extends Callback {
            int compare(Pointer left, Pointer right);
        }
    }

    /** A file with a write-ahead log, whose index is shared memory; each call adds to what is there. */
    static String sqlite(int rows) throws SQLException {
        try (Connection connection = DriverManager.getConnection("jdbc:sqlite:notes.db");
                Statement statement = connection.createStatement()) {
            String journal = text(statement, "pragma journal_mode=wal");
            statement.execute("create table if not exists notes (id integer primary key, text text)");
            connection.setAutoCommit(false);
            try (PreparedStatement insert = connection.prepareStatement("insert into notes (text) values (?)")) {
                for (int i = 0; i < rows; i++) {
                    insert.setString(1, "Grüße, 世界 🙂 " + i);
                    insert.addBatch();
                }
                insert.executeBatch();
            }
            connection.commit();
            connection.setAutoCommit(true);
            statement.execute("vacuum");
            return journal + " " + text(statement, "select count(*) || ' ' || sum(length(text)) from notes") + " "
                    + text(statement, "pragma integrity_check") + " " + text(statement, "select sqlite_version()");
        }
    }

    private static String text(Statement statement, String sql) throws SQLException {
        try (ResultSet result = statement.executeQuery(sql)) {
            result.next();
            return result.getString(1);
        }
    }

    /** Opened, written, flushed, compacted and closed; the next call finds what this one wrote. */
    static String rocksDb(int keys) throws RocksDBException {
        RocksDB.loadLibrary();
        try (Options options = new Options().setCreateIfMissing(true);
                RocksDB database = RocksDB.open(options, "rocks");
                FlushOptions flush = new FlushOptions().setWaitForFlush(true)) {
            String before = count(database);
            for (int i = 0; i < keys; i++) {
                database.put(("key " + i).getBytes(StandardCharsets.UTF_8), new byte[100 + i % 7]);
            }
            database.flush(flush);
            database.compactRange();
            database.delete("key 0".getBytes(StandardCharsets.UTF_8));
            return before + ", then " + count(database);
        }
    }

    private static String count(RocksDB database) {
        int count = 0;
        long bytes = 0;
        try (RocksIterator iterator = database.newIterator()) {
            for (iterator.seekToFirst(); iterator.isValid(); iterator.next()) {
                count++;
                bytes += iterator.value().length;
            }
        }
        return count + " keys, " + bytes + " bytes";
    }

    /** Functions of libc, one that calls back, and an error that the thread keeps. */
    static String jna() {
        int[] numbers = new Random(1).ints(1000).toArray();
        try (Memory memory = new Memory(4L * numbers.length)) {
            memory.write(0, numbers, 0, numbers.length);
            LibC.INSTANCE.qsort(memory, numbers.length, 4,
                    (left, right) -> Integer.compare(left.getInt(0), right.getInt(0)));
            Arrays.sort(numbers);
            boolean sorted = Arrays.equals(numbers, memory.getIntArray(0, numbers.length));
            int opened = LibC.INSTANCE.open("/no/such/file", 0);
            return "sorted " + sorted + ", length " + LibC.INSTANCE.strlen("Grüße") + ", page "
                    + LibC.INSTANCE.getpagesize() + ", opened " + opened + ", error " + Native.getLastError();
        }
    }

    /** The POSIX functions that JRuby calls. */
    static String jnr() {
        POSIX posix = POSIXFactory.getNativePOSIX();
        FileStat directory = posix.stat(".");
        int changed = posix.setenv("JNR_TEST", "Grüße", 1);
        return posix.isNative() + " " + directory.isDirectory() + " " + changed + " " + posix.getenv("JNR_TEST") + " "
                + (posix.getpid() > 0) + " " + posix.mkdir("jnr", 0750) + " "
                + Integer.toOctalString(posix.stat("jnr").mode()) + " " + posix.chmod("jnr", 0700) + " "
                + Integer.toOctalString(posix.stat("jnr").mode()) + " " + posix.rmdir("jnr");
    }

    static String zstd(int bytes) {
        byte[] content = content(bytes);
        byte[] compressed = Zstd.compress(content);
        return compressed.length + " " + Arrays.equals(content, Zstd.decompress(compressed, bytes));
    }

    static String snappy(int bytes) throws IOException {
        byte[] content = content(bytes);
        byte[] compressed = Snappy.compress(content);
        return compressed.length + " " + Arrays.equals(content, Snappy.uncompress(compressed));
    }

    private static byte[] content(int bytes) {
        byte[] content = new byte[bytes];
        Random random = new Random(bytes);
        for (int i = 0; i < bytes; i++) {
            content[i] = (byte) (random.nextInt(100) < 80 ? 'a' : random.nextInt());
        }
        return content;
    }
}
