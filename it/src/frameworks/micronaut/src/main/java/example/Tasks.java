// SPDX-License-Identifier: Apache-2.0
package example;

import io.micronaut.scheduling.annotation.Scheduled;
import jakarta.inject.Singleton;
import java.util.concurrent.CountDownLatch;

@Singleton
public class Tasks {

    private final CountDownLatch runs = new CountDownLatch(3);

    @Scheduled(fixedDelay = "20ms")
    void run() {
        runs.countDown();
    }

    void awaitThree() throws InterruptedException {
        runs.await();
    }
}
