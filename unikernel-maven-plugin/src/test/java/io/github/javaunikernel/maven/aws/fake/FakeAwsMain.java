// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.aws.fake;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;

/**
 * The fake by hand. Prints what to export, then obeys lines on standard input: {@code volume SNAPSHOT FILE} writes a
 * volume back as a raw image, {@code trouble SEED RATE} injects faults, {@code imds LINE} has the metadata service of
 * an instance obey a line ({@link FakeImds}), {@code quit} ends. Argument: a port, 0 or none for any.
 */
public final class FakeAwsMain {
    private FakeAwsMain() {}

    public static void main(String[] arguments) throws IOException {
        try (FakeAws fake = new FakeAws(arguments.length > 0 ? Integer.parseInt(arguments[0]) : 0);
                FakeImds imds = new FakeImds();
                BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8))) {
            System.out.println("endpoint=" + fake.endpoint());
            System.out.println("imds=" + imds.endpoint());
            System.out.println("AWS_ACCESS_KEY_ID=" + FakeAws.ACCESS_KEY);
            System.out.println("AWS_SECRET_ACCESS_KEY=" + FakeAws.SECRET_KEY);
            System.out.flush();
            for (String line; (line = in.readLine()) != null && !line.equals("quit"); ) {
                if (line.startsWith("imds ")) {
                    System.out.println(imds.obey(line.substring(5)));
                    System.out.flush();
                } else {
                    obey(fake, line.trim().split(" +"));
                }
            }
        }
    }

    private static void obey(FakeAws fake, String[] words) {
        try {
            switch (words[0]) {
                case "volume" -> fake.reassemble(words[1], Path.of(words[2]));
                case "trouble" ->
                    fake.trouble(new Trouble(Long.parseLong(words[1]), Double.parseDouble(words[2]), 1000));
                default ->
                    throw new IllegalArgumentException("volume SNAPSHOT FILE, trouble SEED RATE, imds LINE or quit");
            }
            System.out.println("ok");
        } catch (IOException | RuntimeException e) {
            System.out.println("error " + e);
        }
        System.out.flush();
    }
}
