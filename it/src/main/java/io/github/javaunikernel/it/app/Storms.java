// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.it.app;

/** Errors by the thousand that the JVM finds through signals: memory faults, stack guards, arithmetic. */
final class Storms {

    private static final class Box {
        int value;
        Box next;
    }

    private Storms() {}

    /** Dereferences null as often as asked; once compiled, each is a fault that becomes an exception. */
    static int nullPointers(int times) {
        int caught = 0;
        for (int i = 0; i < times; i++) {
            Box box = i >= 0 ? null : new Box();
            try {
                caught += box.value;
            } catch (NullPointerException e) {
                caught++;
            }
        }
        return caught;
    }

    /** Divides by zero as often as asked; the processor reports each. */
    static int divisions(int times) {
        int caught = 0;
        for (int i = 0; i < times; i++) {
            try {
                caught += i / (i - i);
            } catch (ArithmeticException e) {
                caught++;
            }
        }
        return caught;
    }

    /** Runs into the end of the stack as often as asked. */
    static int stackOverflows(int times) {
        int caught = 0;
        for (int i = 0; i < times; i++) {
            try {
                descend(new Box());
            } catch (StackOverflowError e) {
                caught++;
            }
        }
        return caught;
    }

    private static int descend(Box box) {
        Box deeper = new Box();
        deeper.next = box;
        return descend(deeper) + 1;
    }
}
