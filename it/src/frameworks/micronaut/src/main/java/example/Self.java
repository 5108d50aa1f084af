// SPDX-License-Identifier: Apache-2.0
package example;

import io.micronaut.http.annotation.Get;
import io.micronaut.http.client.annotation.Client;

/** The server as a client of its own, over the loopback interface. */
@Client("http://127.0.0.1:${micronaut.server.port:8080}")
public interface Self {

    @Get("/json")
    Note json();
}
