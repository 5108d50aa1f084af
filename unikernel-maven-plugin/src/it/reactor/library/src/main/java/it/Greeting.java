// SPDX-License-Identifier: Apache-2.0
package it;

public final class Greeting {

    private Greeting() {}

    public static String text() {
        return "Hello from the library";
    }
}
