// SPDX-License-Identifier: Apache-2.0
package example;

import jakarta.servlet.annotation.WebServlet;
import jakarta.servlet.http.HttpServlet;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import jakarta.servlet.http.HttpSession;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

@WebServlet({"/hello", "/session", "/places"})
public class MainServlet extends HttpServlet {

    @Override
    protected void doGet(HttpServletRequest request, HttpServletResponse response) throws IOException {
        response.setContentType("text/plain; charset=utf-8");
        switch (request.getServletPath()) {
            case "/hello" -> response.getWriter().print("Hello, " + request.getParameter("name") + ", by "
                    + getServletContext().getServerInfo());
            case "/session" -> {
                HttpSession session = request.getSession();
                Integer before = (Integer) session.getAttribute("visits");
                session.setAttribute("visits", before == null ? 1 : before + 1);
                response.getWriter().print(session.getAttribute("visits"));
            }
            default -> response.getWriter().print(places());
        }
    }

    /** What the server has written beside itself: its access log, and the page that it has compiled. */
    private static String places() throws IOException {
        Path home = Path.of(System.getProperty("catalina.home"));
        try (var logs = Files.list(home.resolve("logs")); var compiled = Files.walk(home.resolve("work"))) {
            boolean logged = logs.anyMatch(file -> file.getFileName().toString().startsWith("access"));
            boolean made = compiled.anyMatch(file -> file.endsWith("page_jsp.class"));
            return "access log " + logged + ", compiled page " + made + ", home is the working directory "
                    + home.equals(Path.of("").toAbsolutePath());
        }
    }
}
