// SPDX-License-Identifier: Apache-2.0
package it;

import java.util.logging.Logger;

public class Main {
    public static void main(String[] args) {
        Logger.getLogger("it").info("Here I am");
    }
}
