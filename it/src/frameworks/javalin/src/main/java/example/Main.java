// SPDX-License-Identifier: Apache-2.0
package example;

import io.javalin.Javalin;
import io.javalin.http.Context;
import io.javalin.http.UploadedFile;
import java.util.Map;

public final class Main {

    private Main() {
    }

    public static void main(String[] arguments) {
        Javalin.create(configuration -> configuration.showJavalinBanner = false)
                .get("/hello", context -> context.result("Hello by " + context.protocol()))
                .get("/notes/{id}", context -> context.json(Map.of("id", context.pathParam("id"))))
                .get("/large", context -> context.result("0123456789abcdef".repeat(50_000)))
                .post("/echo", context -> context.result(context.body()))
                .post("/count", Main::count)
                .get("/visits", Main::visit)
                .get("/fails", context -> {
                    throw new IllegalStateException("on purpose");
                })
                .exception(IllegalStateException.class, (e, context) -> context.status(409).result(e.getMessage()))
                .ws("/socket", socket -> socket.onMessage(message -> message.send("echo " + message.message())))
                .start(Integer.getInteger("port", 8080));
    }

    private static void count(Context context) {
        UploadedFile file = context.uploadedFile("file");
        context.result(file.filename() + " " + file.size());
    }

    private static void visit(Context context) {
        Integer visits = context.sessionAttribute("visits");
        context.sessionAttribute("visits", visits == null ? 1 : visits + 1);
        context.result("visit " + context.sessionAttribute("visits"));
    }
}
