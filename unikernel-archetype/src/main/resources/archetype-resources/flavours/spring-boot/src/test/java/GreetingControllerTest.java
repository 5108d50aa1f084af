package ${package};

import static org.springframework.test.web.servlet.request.MockMvcRequestBuilders.get;
import static org.springframework.test.web.servlet.result.MockMvcResultMatchers.content;
import static org.springframework.test.web.servlet.result.MockMvcResultMatchers.status;

import org.junit.jupiter.api.Test;
import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.boot.test.autoconfigure.web.servlet.WebMvcTest;
import org.springframework.test.web.servlet.MockMvc;

@WebMvcTest(properties = "greeting=Good morning")
class GreetingControllerTest {

    @Autowired
    private MockMvc pages;

    @Test
    void greets() throws Exception {
        pages.perform(get("/")).andExpect(status().isOk()).andExpect(content().string("Good morning\n"));
    }

    @Test
    void knowsNoOtherPage() throws Exception {
        pages.perform(get("/nowhere")).andExpect(status().isNotFound());
    }
}
