// SPDX-License-Identifier: Apache-2.0
package it;

public final class Main {

    private Main() {}

    public static void main(String[] arguments) {
        System.out.println("Here I am");
    }
}
