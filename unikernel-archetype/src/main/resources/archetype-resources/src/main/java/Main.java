package ${package};

import java.io.IOException;

/** Starts the webserver, and stops it cleanly when the machine is shut down. */
public final class Main {

    private Main() {
    }

    /** Starts the webserver, whose threads run until the machine is shut down. */
    public static void main(String[] arguments) throws IOException {
        Settings settings = Settings.fromSystemProperties();
        WebServer server = new WebServer(settings);
        // Before the server listens: the machine may be shut down as soon as it answers.
        Runtime.getRuntime().addShutdownHook(new Thread(() -> {
            System.out.println("Stopping");
            server.close();
            System.out.println("Stopped");
        }));
        server.start();
        System.out.println("Listening on port " + server.port());
    }
}
