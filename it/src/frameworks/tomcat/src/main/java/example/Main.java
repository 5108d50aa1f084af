// SPDX-License-Identifier: Apache-2.0
package example;

import jakarta.servlet.MultipartConfigElement;
import jakarta.servlet.ServletException;
import jakarta.servlet.http.HttpServlet;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import jakarta.servlet.http.HttpSession;
import jakarta.servlet.http.Part;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.zip.CRC32;
import org.apache.catalina.Context;
import org.apache.catalina.Wrapper;
import org.apache.catalina.startup.Tomcat;

public final class Main extends HttpServlet {

    private final int port;

    private Main(int port) {
        this.port = port;
    }

    public static void main(String[] arguments) throws Exception {
        int port = Integer.getInteger("port", 8080);
        Tomcat tomcat = new Tomcat();
        tomcat.setPort(port);
        // No base directory is set: Tomcat makes tomcat.PORT in the working directory.
        Context context = tomcat.addContext("", new File(".").getAbsolutePath());
        Wrapper servlet = Tomcat.addServlet(context, "main", new Main(port));
        servlet.setMultipartConfigElement(new MultipartConfigElement("", 64 << 20, 64 << 20, 1000));
        context.addServletMappingDecoded("/", "main");
        tomcat.getConnector();
        tomcat.start();
        tomcat.getServer().await();
    }

    @Override
    protected void doGet(HttpServletRequest request, HttpServletResponse response) throws IOException {
        response.setContentType("text/plain; charset=utf-8");
        switch (request.getServletPath()) {
            case "/hello" -> response.getWriter().print("Hello, " + request.getParameter("name"));
            case "/session" -> {
                HttpSession session = request.getSession();
                Integer before = (Integer) session.getAttribute("visits");
                session.setAttribute("visits", before == null ? 1 : before + 1);
                response.getWriter().print(session.getAttribute("visits"));
            }
            case "/directories" -> {
                Path base = Path.of("tomcat." + port);
                response.getWriter().print(Files.isDirectory(base) + " " + Files.isWritable(base) + " "
                        + (new File(".").getUsableSpace() > 1 << 20));
            }
            default -> response.sendError(HttpServletResponse.SC_NOT_FOUND);
        }
    }

    @Override
    protected void doPost(HttpServletRequest request, HttpServletResponse response)
            throws IOException, ServletException {
        Part part = request.getPart("file");
        CRC32 sum = new CRC32();
        sum.update(part.getInputStream().readAllBytes());
        response.getWriter().print(part.getSubmittedFileName() + " " + part.getSize() + " " + sum.getValue());
    }
}
