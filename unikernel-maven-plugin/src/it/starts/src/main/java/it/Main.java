// SPDX-License-Identifier: Apache-2.0
package it;

import java.awt.Color;
import java.awt.Font;
import java.awt.Graphics2D;
import java.awt.image.BufferedImage;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.lang.management.GarbageCollectorMXBean;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import javax.imageio.ImageIO;

/** Prints what it was started with, and the text that it draws: the same on Linux and in the guest. */
public final class Main {

    private Main() {}

    public static void main(String[] arguments) throws Exception {
        List<String> texts = List.of(arguments);
        for (String text : texts) {
            find("argument " + texts.indexOf(text), text);
            System.out.println("found: " + text);
            System.err.println("found: " + text);
        }
        find("property", System.getProperty("it.text"));
        find("variable", System.getenv("IT_TEXT"));
        name(texts.get(4));
        name(texts.get(5));
        heap();
        for (String family : List.of(Font.DIALOG, Font.SERIF, Font.MONOSPACED)) {
            draw(family);
        }
        System.out.println("found: the end");
    }

    private static void find(String name, String text) {
        System.out.println("found: " + name + " " + HexFormat.of().formatHex(text.getBytes(StandardCharsets.UTF_16BE)));
    }

    private static void name(String name) throws IOException {
        Path directory = Files.createTempDirectory("names");
        Path file = Files.writeString(directory.resolve(name), name);
        try (var files = Files.list(directory)) {
            find(
                    "name",
                    files.map(found -> found.getFileName().toString()).toList().toString());
        }
        System.out.println("found: " + file.toFile().getCanonicalFile().getName() + " "
                + Files.readString(file).equals(name));
        Files.delete(file);
        Files.delete(directory);
    }

    /** Fills the heap many times over. */
    private static void heap() {
        long sum = 0;
        byte[][] kept = new byte[16][];
        for (int i = 0; i < 4000; i++) {
            kept[i % kept.length] = new byte[100_000];
            sum += kept[i / 7 % kept.length] == null ? 0 : i;
        }
        List<GarbageCollectorMXBean> collectors = ManagementFactory.getGarbageCollectorMXBeans();
        long collections = collectors.stream()
                .mapToLong(GarbageCollectorMXBean::getCollectionCount)
                .sum();
        System.out.println("found: "
                + collectors.stream().map(GarbageCollectorMXBean::getName).toList() + " "
                + Runtime.getRuntime().maxMemory() + " " + (collections > 0) + " " + sum);
    }

    private static void draw(String family) throws Exception {
        byte[] one = png(family, "Illi");
        byte[] other = png(family, "Wawa");
        BufferedImage image = ImageIO.read(new ByteArrayInputStream(one));
        int[] pixels = image.getRGB(0, 0, image.getWidth(), image.getHeight(), null, 0, image.getWidth());
        long dark = Arrays.stream(pixels)
                .filter(pixel -> pixel != Color.WHITE.getRGB())
                .count();
        System.out.println("found: " + family + " dark " + dark + " blank " + (dark == 0)
                + " alike " + Arrays.equals(one, other)
                + " width "
                + new BufferedImage(1, 1, BufferedImage.TYPE_INT_RGB)
                        .createGraphics()
                        .getFontMetrics(new Font(family, Font.PLAIN, 24))
                        .stringWidth("Wawa Grüße Ελ Ру")
                + " "
                + HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(one))
                + " "
                + HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(other)));
    }

    private static byte[] png(String family, String text) throws IOException {
        BufferedImage image = new BufferedImage(200, 40, BufferedImage.TYPE_INT_RGB);
        Graphics2D graphics = image.createGraphics();
        graphics.setColor(Color.WHITE);
        graphics.fillRect(0, 0, 200, 40);
        graphics.setColor(Color.BLACK);
        graphics.setFont(new Font(family, Font.PLAIN, 24));
        graphics.drawString(text + " ä Ω Ж", 4, 30);
        graphics.dispose();
        ByteArrayOutputStream png = new ByteArrayOutputStream();
        ImageIO.write(image, "png", png);
        return png.toByteArray();
    }
}
