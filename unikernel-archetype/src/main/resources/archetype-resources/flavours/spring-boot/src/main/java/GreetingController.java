package ${package};

import org.springframework.core.env.Environment;
import org.springframework.http.MediaType;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.RestController;

/** The start page. */
@RestController
public class GreetingController {

    private final String greeting;

    /** Reads the property greeting. */
    public GreetingController(Environment settings) {
        greeting = settings.getProperty("greeting", "Hello");
    }

    /** The greeting. */
    @GetMapping(path = "/", produces = MediaType.TEXT_PLAIN_VALUE)
    public String greet() {
        return greeting + "\n";
    }
}
