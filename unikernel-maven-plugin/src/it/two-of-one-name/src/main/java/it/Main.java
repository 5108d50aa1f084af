// SPDX-License-Identifier: Apache-2.0
package it;

public class Main {
    public static void main(String[] args) {
        System.out.println(System.getProperty("stage"));
    }
}
