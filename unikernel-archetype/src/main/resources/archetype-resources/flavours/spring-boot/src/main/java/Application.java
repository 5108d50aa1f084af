package ${package};

import org.springframework.boot.SpringApplication;
import org.springframework.boot.autoconfigure.SpringBootApplication;

/** Starts the webserver; Spring stops it cleanly when the machine is shut down. */
@SpringBootApplication
public class Application {

    /** Starts the webserver, whose threads run until the machine is shut down. */
    public static void main(String[] arguments) {
        SpringApplication.run(Application.class, arguments);
    }
}
