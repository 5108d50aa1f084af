// SPDX-License-Identifier: Apache-2.0
package example;

import jakarta.servlet.http.HttpSession;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.util.HexFormat;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.springframework.data.domain.Sort;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.PostMapping;
import org.springframework.web.bind.annotation.RequestBody;
import org.springframework.web.bind.annotation.RequestParam;
import org.springframework.web.bind.annotation.RestController;
import org.springframework.web.multipart.MultipartFile;
import org.springframework.web.servlet.ModelAndView;

@RestController
class Controller {

    private final Notes notes;

    Controller(Notes notes) {
        this.notes = notes;
    }

    @GetMapping("/hello")
    String hello(@RequestParam String name) {
        return "Hello, " + name;
    }

    @GetMapping("/page")
    ModelAndView page() {
        return new ModelAndView("page", "names", List.of("Ada", "Zoë", "李"));
    }

    @PostMapping("/notes")
    Note add(@RequestBody String text) {
        return notes.save(new Note(text));
    }

    @GetMapping("/notes")
    List<Note> all() {
        return notes.findAll(Sort.by("id"));
    }

    @PostMapping("/upload")
    String upload(@RequestParam MultipartFile file) throws IOException, GeneralSecurityException {
        MessageDigest digest = MessageDigest.getInstance("SHA-256");
        try (InputStream in = file.getInputStream()) {
            byte[] buffer = new byte[8192];
            for (int n = in.read(buffer); n >= 0; n = in.read(buffer)) {
                digest.update(buffer, 0, n);
            }
        }
        return file.getOriginalFilename() + " " + file.getSize() + " " + HexFormat.of().formatHex(digest.digest());
    }

    @GetMapping("/session")
    int session(HttpSession session) {
        Integer before = (Integer) session.getAttribute("visits");
        session.setAttribute("visits", before == null ? 1 : before + 1);
        return (Integer) session.getAttribute("visits");
    }

    @GetMapping("/scheduled")
    boolean scheduled() throws InterruptedException {
        return Application.RUNS.await(5, TimeUnit.MINUTES);
    }

    /** Whether the log file in the working directory is written. */
    @GetMapping("/log")
    boolean log() throws IOException {
        return Files.readString(Path.of("logs", "app.log")).contains("Started Application");
    }
}
