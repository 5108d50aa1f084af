// SPDX-License-Identifier: Apache-2.0
package example;

import io.micronaut.runtime.Micronaut;

public final class Application {

    private Application() {
    }

    public static void main(String[] arguments) {
        Micronaut.run(Application.class, arguments);
    }
}
