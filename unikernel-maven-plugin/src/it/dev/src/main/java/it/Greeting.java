// SPDX-License-Identifier: Apache-2.0
package it;

final class Greeting {
    static String text() {
        return "first";
    }
}
