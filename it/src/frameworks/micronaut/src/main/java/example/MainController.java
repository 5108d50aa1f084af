// SPDX-License-Identifier: Apache-2.0
package example;

import io.micronaut.http.MediaType;
import io.micronaut.http.annotation.Body;
import io.micronaut.http.annotation.Consumes;
import io.micronaut.http.annotation.Controller;
import io.micronaut.http.annotation.Get;
import io.micronaut.http.annotation.Post;
import io.micronaut.http.annotation.Produces;
import io.micronaut.http.annotation.QueryValue;
import io.micronaut.http.multipart.CompletedFileUpload;
import io.micronaut.scheduling.TaskExecutors;
import io.micronaut.scheduling.annotation.ExecuteOn;
import java.io.IOException;
import java.time.Instant;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.zip.CRC32;
import org.reactivestreams.Publisher;
import reactor.core.publisher.Flux;

@Controller
public class MainController {

    private final Tasks tasks;
    private final Self self;

    MainController(Tasks tasks, Self self) {
        this.tasks = tasks;
        this.self = self;
    }

    @Get("/hello")
    @Produces(MediaType.TEXT_PLAIN)
    String hello(@QueryValue String name) {
        return "Hello, " + name;
    }

    @Get("/json")
    Note json() {
        return new Note("Grüße", Instant.ofEpochSecond(1_700_000_000), List.of(1, 2, 3));
    }

    @Post("/echo")
    @Consumes(MediaType.TEXT_PLAIN)
    @Produces(MediaType.TEXT_PLAIN)
    String echo(@Body String text) {
        return text;
    }

    @Post("/upload")
    @Consumes(MediaType.MULTIPART_FORM_DATA)
    @Produces(MediaType.TEXT_PLAIN)
    @ExecuteOn(TaskExecutors.BLOCKING)
    String upload(CompletedFileUpload file) throws IOException {
        CRC32 sum = new CRC32();
        sum.update(file.getBytes());
        return file.getFilename() + " " + file.getSize() + " " + sum.getValue();
    }

    @Get("/self")
    @Produces(MediaType.TEXT_PLAIN)
    @ExecuteOn(TaskExecutors.BLOCKING)
    String self() {
        return self.json().toString();
    }

    @Get("/stream")
    @Produces(MediaType.TEXT_PLAIN)
    Publisher<String> stream() {
        return Flux.range(0, 1000).map(number -> "piece " + number + "\n");
    }

    @Get("/blocking")
    @Produces(MediaType.TEXT_PLAIN)
    @ExecuteOn(TaskExecutors.BLOCKING)
    String blocking() throws InterruptedException {
        TimeUnit.MILLISECONDS.sleep(50);
        return "slept";
    }

    @Get("/scheduled")
    @Produces(MediaType.TEXT_PLAIN)
    @ExecuteOn(TaskExecutors.BLOCKING)
    String scheduled() throws InterruptedException {
        tasks.awaitThree();
        return "three times";
    }
}
