// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.run;

/** A guest with the console and the reports that a test gives it. The test fails if the guest is asked to end. */
class FakeGuest implements Guest {

    private final Console console;
    private final Reports reports;

    FakeGuest(Console console, Reports reports) {
        this.console = console;
        this.reports = reports;
    }

    @Override
    public Console console() {
        return console;
    }

    @Override
    public Reports reports() {
        return reports;
    }

    @Override
    public void shutDown() {
        throw new AssertionError("the guest was asked to shut down");
    }

    @Override
    public void kill() {
        throw new AssertionError("the guest was killed");
    }

    @Override
    public GuestEnd await() {
        return new GuestEnd(console, reports, 0);
    }
}
