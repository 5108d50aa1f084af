// SPDX-License-Identifier: Apache-2.0
package example;

import io.quarkus.scheduler.Scheduled;
import io.smallrye.common.annotation.Blocking;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.ws.rs.GET;
import jakarta.ws.rs.Path;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

@ApplicationScoped
@Path("/")
public class Tasks {

    /** Opened by the second run of the task. */
    private final CountDownLatch runs = new CountDownLatch(2);

    @Scheduled(every = "1s")
    void task() {
        runs.countDown();
    }

    @GET
    @Path("/scheduled")
    @Blocking
    public boolean scheduled() throws InterruptedException {
        return runs.await(5, TimeUnit.MINUTES);
    }

    /** Which of Quarkus' threads answers: not one of the event loop. */
    @GET
    @Path("/blocking")
    @Blocking
    public String blocking() {
        return Thread.currentThread().getName().replaceAll("\\d+", "N");
    }
}
