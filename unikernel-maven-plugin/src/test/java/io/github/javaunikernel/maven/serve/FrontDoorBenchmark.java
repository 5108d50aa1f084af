// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.serve;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.Arrays;

/**
 * What the front door adds to a warm request: the same request through it and directly to the instance, in turns, on
 * connections that stay open where the server allows that. Not a test: run by hand while {@code unikernel:serve} runs.
 * Arguments: the URL of the front door, the URL of the instance, requests (2000).
 */
public final class FrontDoorBenchmark {

    private static final int WARM_UP = 200;

    private final HttpClient client =
            HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();

    private FrontDoorBenchmark() {}

    public static void main(String[] arguments) throws IOException, InterruptedException {
        int requests = arguments.length > 2 ? Integer.parseInt(arguments[2]) : 2000;
        new FrontDoorBenchmark().compare(URI.create(arguments[0]), URI.create(arguments[1]), requests);
    }

    private void compare(URI door, URI instance, int requests) throws IOException, InterruptedException {
        long[] through = new long[requests];
        long[] direct = new long[requests];
        for (int i = -WARM_UP; i < requests; i++) {
            long first = nanoseconds(door);
            long second = nanoseconds(instance);
            if (i >= 0) {
                through[i] = first;
                direct[i] = second;
            }
        }
        System.out.printf(
                "%d requests each; through the front door / direct: median %.2f, 99th percentile %.2f;"
                        + " the medians differ by %.0f us%n",
                requests,
                (double) at(through, 0.5) / at(direct, 0.5),
                (double) at(through, 0.99) / at(direct, 0.99),
                (at(through, 0.5) - at(direct, 0.5)) / 1e3);
    }

    private long nanoseconds(URI url) throws IOException, InterruptedException {
        long begin = System.nanoTime();
        int status = client.send(HttpRequest.newBuilder(url).build(), HttpResponse.BodyHandlers.discarding())
                .statusCode();
        if (status != 200) {
            throw new IOException(url + " answers " + status + ". Name a path that is there.");
        }
        return System.nanoTime() - begin;
    }

    private static long at(long[] times, double share) {
        long[] sorted = times.clone();
        Arrays.sort(sorted);
        return sorted[(int) (share * (sorted.length - 1))];
    }
}
