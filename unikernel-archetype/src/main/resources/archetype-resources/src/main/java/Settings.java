package ${package};

/**
 * The configuration, from system properties; they are baked into the image (see pom.xml).
 *
 * @param port TCP port, 0 for any free one
 * @param threads requests answered at the same time
 * @param greeting what the first page says
 */
public record Settings(int port, int threads, String greeting) {

    /** Reads server.port, server.threads and greeting. */
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
