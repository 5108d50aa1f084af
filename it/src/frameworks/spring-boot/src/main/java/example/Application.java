// SPDX-License-Identifier: Apache-2.0
package example;

import java.util.concurrent.CountDownLatch;
import org.springframework.boot.SpringApplication;
import org.springframework.boot.autoconfigure.SpringBootApplication;
import org.springframework.scheduling.annotation.EnableScheduling;
import org.springframework.scheduling.annotation.Scheduled;

@SpringBootApplication
@EnableScheduling
public class Application {

    /** Opened by the third run of the task. */
    static final CountDownLatch RUNS = new CountDownLatch(3);

    public static void main(String[] arguments) {
        SpringApplication.run(Application.class, arguments);
    }

    @Scheduled(fixedRate = 50)
    void task() {
        RUNS.countDown();
    }
}
