// SPDX-License-Identifier: Apache-2.0
package example;

import jakarta.servlet.annotation.WebServlet;
import jakarta.servlet.http.HttpServlet;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.nio.charset.StandardCharsets;

/** What a servlet finds of the web application that it is part of. */
@WebServlet({"/servlet", "/resources"})
public class PlainServlet extends HttpServlet {

    @Override
    protected void doGet(HttpServletRequest request, HttpServletResponse response) throws IOException {
        response.setContentType("text/plain; charset=utf-8");
        if (request.getServletPath().equals("/resources")) {
            try (var in = getServletContext().getResourceAsStream("/static.txt")) {
                response.getWriter().print(new String(in.readAllBytes(), StandardCharsets.UTF_8));
            }
            response.getWriter().print(getServletContext().getResourcePaths("/WEB-INF/jsp/"));
            return;
        }
        response.getWriter().print(getServletContext().getServerInfo());
    }
}
