// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven;

import io.github.javaunikernel.maven.report.ReportPage;
import io.github.javaunikernel.maven.run.BuiltImage;
import io.github.javaunikernel.maven.run.PortForward;
import io.github.javaunikernel.maven.settings.FileTrouble;
import io.github.javaunikernel.maven.settings.SettingException;
import io.github.javaunikernel.maven.settings.WholeFile;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import org.apache.maven.doxia.sink.Sink;
import org.apache.maven.plugins.annotations.LifecyclePhase;
import org.apache.maven.plugins.annotations.Mojo;
import org.apache.maven.plugins.annotations.Parameter;
import org.apache.maven.reporting.MavenReport;
import org.apache.maven.reporting.MavenReportException;

/**
 * Writes a page about the image, {@code NAME.report.html} in the build directory: what takes its bytes, why each module
 * of the JDK and each native library is there, what has changed since the last image, and its attack surface. The page
 * needs no other file and no network. Among the reports of {@code mvn site}, it is a page of the site; the image must
 * have been made before.
 *
 * @since 0.1.0
 */
@Mojo(name = "report", defaultPhase = LifecyclePhase.PACKAGE, threadSafe = true)
public final class ReportMojo extends AbstractImageFilesMojo implements MavenReport {

    /**
     * TCP ports on which the program in the guest listens, for the list of open ports.
     *
     * @since 0.1.0
     */
    @Parameter(property = "unikernel.ports", defaultValue = "8080")
    private List<Integer> ports;

    /**
     * An older image to compare with, such as {@code old/shop.img}. The default is the last image of the same name with
     * other contents, unless {@code mvn clean} has deleted its description.
     *
     * @since 0.1.0
     */
    @Parameter(property = "unikernel.other")
    private File other;

    @Parameter(defaultValue = "${project.reporting.outputDirectory}", readonly = true, required = true)
    private File reportOutputDirectory;

    @Override
    protected void run() throws SettingException, IOException {
        Path file = directory().resolve(fileName() + ".report.html");
        write(file);
        getLog().info("Report: " + file);
    }

    private void write(Path file) throws SettingException, IOException {
        PortForward.pair(ports, List.of(), true);
        BuiltImage image = BuiltImage.find(directory(), fileName());
        Path previous = beside(".unikernel.previous.json");
        String page = ReportPage.of(
                image.image(),
                beside(".unikernel.json"),
                Files.isRegularFile(previous) ? Optional.of(previous) : Optional.empty(),
                Optional.ofNullable(other).map(File::toPath),
                ports);
        WholeFile.write(file, part -> Files.writeString(part, page));
    }

    private Path beside(String end) {
        return directory().resolve(fileName() + end);
    }

    @Override
    protected Map<String, File> fileParameters() {
        return other == null ? Map.of() : Map.of("other", other);
    }

    @Override
    public void generate(Sink sink, Locale locale) throws MavenReportException {
        try {
            Path site = Files.createDirectories(reportOutputDirectory.toPath());
            write(site.resolve(getOutputName() + ".html"));
            Path bill = site.resolve(fileName() + ".cdx.json");
            FileTrouble.on(bill, () -> Files.copy(beside(".cdx.json"), bill, StandardCopyOption.REPLACE_EXISTING));
        } catch (SettingException e) {
            throw new MavenReportException(e.getMessage(), e);
        } catch (IOException e) {
            throw new MavenReportException(FileTrouble.of(e).text(), e);
        }
    }

    @Override
    public String getOutputName() {
        return "unikernel-" + fileName();
    }

    @Override
    public String getCategoryName() {
        return CATEGORY_PROJECT_REPORTS;
    }

    @Override
    public String getName(Locale locale) {
        return "Unikernel image";
    }

    @Override
    public String getDescription(Locale locale) {
        return "What is in the image " + fileName() + ".img, and why.";
    }

    @Override
    public void setReportOutputDirectory(File directory) {
        reportOutputDirectory = directory;
    }

    @Override
    public File getReportOutputDirectory() {
        return reportOutputDirectory;
    }

    @Override
    public boolean isExternalReport() {
        return true;
    }

    @Override
    public boolean canGenerateReport() {
        boolean made = Files.isRegularFile(beside(".img"));
        if (!made) {
            getLog().info("No report on " + fileName() + ".img: make the image first, as 'mvn package site' does");
        }
        return made;
    }
}
