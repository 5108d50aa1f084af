// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.run;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.List;

/** Requests to the program of a guest, one after the other, each of which must succeed. */
public final class Requests {

    private Requests() {}

    /**
     * Asks for each path once and reads the answer to its end.
     *
     * @param base the program's URL, which ends in '/'
     * @param paths checked ones, which begin with '/'
     * @param limit for each answer
     */
    public static void get(Guest guest, String base, List<String> paths, Duration limit)
            throws GuestException, InterruptedException {
        HttpClient client =
                HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
        for (String path : paths) {
            URI url = URI.create(base + path.substring(1));
            int status = status(
                    guest, client, HttpRequest.newBuilder(url).timeout(limit).build());
            if (status >= 400) {
                throw new GuestException(
                        url + " answers " + status + ". Correct -Dunikernel.trainPaths, or see the"
                                + " last lines of the guest's console:",
                        guest.console());
            }
        }
    }

    private static int status(Guest guest, HttpClient client, HttpRequest request)
            throws GuestException, InterruptedException {
        try {
            return client.send(request, HttpResponse.BodyHandlers.discarding()).statusCode();
        } catch (IOException e) {
            throw new GuestException(
                    request.uri() + " does not answer (" + e + "). See the last lines of the guest's" + " console:",
                    guest.console());
        }
    }
}
