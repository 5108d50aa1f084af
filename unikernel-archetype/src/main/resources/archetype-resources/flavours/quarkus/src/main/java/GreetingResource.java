package ${package};

import jakarta.ws.rs.GET;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.Produces;
import jakarta.ws.rs.core.MediaType;
import org.eclipse.microprofile.config.inject.ConfigProperty;

/** The start page. */
@Path("/")
public class GreetingResource {

    @ConfigProperty(name = "greeting", defaultValue = "Hello")
    String greeting;

    /** The greeting. */
    @GET
    @Produces(MediaType.TEXT_PLAIN)
    public String greet() {
        return greeting + "\n";
    }
}
