// SPDX-License-Identifier: Apache-2.0
package it;

/** Started without a static main method, as Java 25 does. */
class Instance {

    void main() {
        System.out.println("found: " + getClass());
    }
}
