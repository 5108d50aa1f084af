package ${package};

/**
 * The configuration of the application, read from system properties. Their values are part of the image (see pom.xml).
 *
 * @param port TCP port, or 0 for any free port
 * @param threads number of requests that are answered at the same time
 * @param greeting text of the start page
 */
public record Settings(int port, int threads, String greeting) {

    /** Reads the system properties server.port, server.threads and greeting. */
    public static Settings fromSystemProperties() {
        return new Settings(number("server.port", 8080, 0, 65535), number("server.threads", 16, 1, 1000),
                System.getProperty("greeting", "Hello"));
    }

    private static int number(String name, int defaultValue, int min, int max) {
        int value = Integer.getInteger(name, defaultValue);
        if (value < min || value > max) {
            throw new IllegalArgumentException(name + " is " + value + ". Set it to a number from " + min + " to "
                    + max + ".");
        }
        return value;
    }
}
