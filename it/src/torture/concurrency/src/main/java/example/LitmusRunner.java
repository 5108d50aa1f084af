// SPDX-License-Identifier: Apache-2.0
package example;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeMap;
import java.util.TreeSet;
import org.openjdk.jcstress.annotations.Expect;
import org.openjdk.jcstress.infra.StateCase;
import org.openjdk.jcstress.infra.Status;
import org.openjdk.jcstress.infra.TestInfo;
import org.openjdk.jcstress.infra.collectors.TestResult;
import org.openjdk.jcstress.infra.runners.ForkedTestConfig;
import org.openjdk.jcstress.infra.runners.Runner;
import org.openjdk.jcstress.infra.runners.SpinLoopStyle;
import org.openjdk.jcstress.infra.runners.TestList;

/**
 * Runs the tests of {@link Litmus} in this JVM. The main program of jcstress starts a JVM for each test; a guest has
 * one process, so this gives the generated runners what they would read from their standard input there.
 */
final class LitmusRunner {

    private static final int ROUNDS = 5;
    private static final int LARGEST_STATE_MIB = 32;
    private static final int STRIDE = 256;
    private static final int STRIDES = 40;

    private final int millis;

    LitmusRunner(int millis) {
        this.millis = millis;
    }

    static List<String> names() {
        return new ArrayList<>(new TreeSet<>(TestList.tests()));
    }

    /** As {@code ForkedTestConfig.write} of jcstress 0.16 has it. */
    private ForkedTestConfig configuration(String runner) throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (DataOutputStream out = new DataOutputStream(bytes)) {
            out.writeInt(SpinLoopStyle.THREAD_YIELD.ordinal());
            out.writeInt(millis);
            out.writeInt(ROUNDS);
            out.writeUTF(runner);
            out.writeInt(LARGEST_STATE_MIB);
            out.writeInt(STRIDE);
            out.writeInt(STRIDES);
            out.writeBoolean(false); // no affinity of threads
            out.writeInt(0);
        }
        return new ForkedTestConfig(new DataInputStream(new ByteArrayInputStream(bytes.toByteArray())));
    }

    /** What was seen, and how often. */
    String run(String name) throws Exception {
        TestInfo test = TestList.getInfo(name);
        Runner<?> runner = (Runner<?>) Class.forName(test.generatedRunner())
                .getConstructor(ForkedTestConfig.class)
                .newInstance(configuration(test.generatedRunner()));
        TestResult result = runner.run();
        if (result.status() != Status.NORMAL) {
            throw new AssertionError(result.status() + " " + result.getMessages());
        }
        TreeMap<String, Long> outcomes = new TreeMap<>();
        for (String state : result.getStateKeys()) {
            outcomes.put(state, result.getCount(state));
            StateCase matching = caseOf(test, state);
            if (matching.expect() == Expect.FORBIDDEN || matching.expect() == Expect.UNKNOWN) {
                throw new AssertionError("forbidden outcome " + state + ": " + matching.description() + " All: "
                        + outcomes);
            }
        }
        if (result.getTotalCount() == 0) {
            throw new AssertionError("it did not run once");
        }
        return outcomes.toString();
    }

    private static StateCase caseOf(TestInfo test, String state) {
        return test.cases().stream()
                .filter(one -> one.matchesExactly(state))
                .findFirst()
                .or(() -> test.cases().stream().filter(one -> one.matches(state)).findFirst())
                .orElse(test.unmatched());
    }
}
