// SPDX-License-Identifier: Apache-2.0
package example;

import java.io.IOException;
import java.util.List;
import java.util.zip.CRC32;
import org.springframework.stereotype.Controller;
import org.springframework.ui.Model;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.PostMapping;
import org.springframework.web.bind.annotation.RequestParam;
import org.springframework.web.bind.annotation.ResponseBody;
import org.springframework.web.multipart.MultipartFile;

@Controller
public class PageController {

    @GetMapping("/hello")
    @ResponseBody
    String hello(@RequestParam String name) {
        return "Hello, " + name;
    }

    @GetMapping("/page")
    String page(@RequestParam String name, Model model) {
        model.addAttribute("name", name);
        model.addAttribute("numbers", List.of(1, 2, 3));
        return "page";
    }

    @PostMapping("/upload")
    @ResponseBody
    String upload(@RequestParam MultipartFile file) throws IOException {
        CRC32 sum = new CRC32();
        sum.update(file.getBytes());
        return file.getOriginalFilename() + " " + file.getSize() + " " + sum.getValue();
    }
}
