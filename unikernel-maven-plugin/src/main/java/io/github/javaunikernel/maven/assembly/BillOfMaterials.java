// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.assembly;

import io.github.javaunikernel.maven.boot.Kernel;
import io.github.javaunikernel.maven.image.ImageEntry;
import io.github.javaunikernel.maven.image.ImageSummary;
import io.github.javaunikernel.maven.runtime.JavaHome;
import io.github.javaunikernel.maven.runtime.SystemPackages;
import io.github.javaunikernel.maven.runtime.SystemPackages.SystemPackage;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Date;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.cyclonedx.Version;
import org.cyclonedx.exception.GeneratorException;
import org.cyclonedx.generators.BomGeneratorFactory;
import org.cyclonedx.model.Bom;
import org.cyclonedx.model.Component;
import org.cyclonedx.model.Hash;
import org.cyclonedx.model.License;
import org.cyclonedx.model.LicenseChoice;
import org.cyclonedx.model.Metadata;
import org.cyclonedx.model.Property;
import org.cyclonedx.util.LicenseResolver;

/** The text of {@code NAME.cdx.json}: what an image is made of, as a CycloneDX bill of materials. */
final class BillOfMaterials {

    private static final Version VERSION = Version.VERSION_16;
    private static final String MAVEN = "maven:";
    private static final String SYSTEM = "system:";
    private static final String GENERATED = "generated";
    private static final String JDK = "jdk:";

    private final ImageRequest request;
    private final ImageSummary summary;
    private final Bom bom = new Bom();

    private BillOfMaterials(ImageRequest request, ImageSummary summary) {
        this.request = request;
        this.summary = summary;
    }

    /**
     * Makes the text.
     *
     * @param java what the program needs of a JDK, or empty for an executable
     * @param system root directory of the Linux system whose libraries the image has
     */
    static String text(ImageRequest request, ImageSummary summary, Optional<JavaProgram> java, Path system)
            throws IOException {
        BillOfMaterials bill = new BillOfMaterials(request, summary);
        bill.bom.setSerialNumber("urn:uuid:" + summary.uuid());
        bill.bom.setMetadata(bill.metadata());
        bill.bom.addComponent(bill.kernel());
        java.ifPresent(program -> bill.bom.addComponent(bill.runtime(program.linked())));
        bill.addFiles(new SystemPackages(system));
        try {
            return BomGeneratorFactory.createJson(VERSION, bill.bom).toJsonString() + "\n";
        } catch (GeneratorException e) {
            throw new IllegalStateException("A bill of materials is always text", e);
        }
    }

    private Metadata metadata() {
        Component image = component(Component.Type.APPLICATION, request.name(), null);
        image.setBomRef("image");
        Metadata metadata = new Metadata();
        metadata.setTimestamp(Date.from(request.time()));
        metadata.setComponent(image);
        return metadata;
    }

    private Component kernel() throws IOException {
        Kernel kernel = request.kernel();
        Component component = component(Component.Type.OPERATING_SYSTEM, "guest-kernel", kernel.version());
        component.setGroup("io.github.javaunikernel");
        component.setBomRef("kernel");
        component.addHash(new Hash(Hash.Algorithm.SHA_256, entry(Paths.KERNEL).sha256()));
        kernel.commit().ifPresent(commit -> component.addProperty(new Property("unikernel:commit", commit)));
        return component;
    }

    private Component runtime(List<String> modules) {
        JavaHome jdk = request.runtime().jdk();
        Component runtime = component(Component.Type.PLATFORM, "OpenJDK", jdk.runtimeVersion());
        runtime.setPublisher(jdk.vendor());
        runtime.setBomRef("jdk");
        for (String name : modules) {
            Component module = component(Component.Type.LIBRARY, name, jdk.runtimeVersion());
            module.setPublisher(jdk.vendor());
            module.setBomRef("jdk/" + name);
            runtime.addComponent(module);
        }
        return runtime;
    }

    private void addFiles(SystemPackages packages) throws IOException {
        Map<String, ImageEntry> system = new TreeMap<>();
        for (ImageEntry entry : summary.entries()) {
            if (entry.sha256() == null || isPartOfAnother(entry)) {
                continue;
            }
            if (entry.origin().startsWith(SYSTEM)) {
                system.put(entry.origin().substring(SYSTEM.length()), entry);
            } else {
                bom.addComponent(isArtifact(entry) ? artifact(entry) : file(entry));
            }
        }
        addSystem(system, packages.owners(system.keySet()));
    }

    /** Pages of a war have its origin, too. */
    private static boolean isArtifact(ImageEntry entry) {
        return entry.origin().matches(MAVEN + "([^:]+:){3,}[^:]+")
                && entry.path().matches(".*\\.[jw]ar");
    }

    private static boolean isPartOfAnother(ImageEntry entry) {
        return entry.path().startsWith("/boot/")
                || entry.origin().startsWith(JDK)
                || entry.origin().equals(GENERATED);
    }

    /** Libraries and other files of the system, under the packages that they belong to. */
    private void addSystem(Map<String, ImageEntry> files, Map<String, SystemPackage> owners) {
        Map<String, Component> packages = new TreeMap<>();
        for (Map.Entry<String, ImageEntry> file : files.entrySet()) {
            SystemPackage owner = owners.get(file.getKey());
            if (owner == null) {
                bom.addComponent(file(file.getValue()));
            } else {
                packages.computeIfAbsent(owner.name(), name -> packageOf(owner)).addComponent(file(file.getValue()));
            }
        }
        packages.values().forEach(bom::addComponent);
    }

    private static Component packageOf(SystemPackage owner) {
        Component component = component(Component.Type.LIBRARY, owner.name(), owner.version());
        component.setPurl(PackageUrls.of(owner));
        component.setBomRef(component.getPurl());
        return component;
    }

    private Component artifact(ImageEntry entry) {
        String[] parts = entry.origin().substring(MAVEN.length()).split(":");
        Component component = component(Component.Type.LIBRARY, parts[1], parts[parts.length - 1]);
        component.setGroup(parts[0]);
        component.setPurl(PackageUrls.ofArtifact(parts));
        component.setBomRef(entry.path());
        component.addHash(new Hash(Hash.Algorithm.SHA_256, entry.sha256()));
        component.setLicenses(licences(request.licences().getOrDefault(entry.origin(), List.of())));
        return component;
    }

    /** By their names in the list of SPDX where they are known, else as the POM has them. */
    private static LicenseChoice licences(List<Licence> licences) {
        LicenseChoice choice = new LicenseChoice();
        for (Licence licence : licences) {
            LicenseChoice known = known(licence);
            if (known != null && known.getLicenses() != null) {
                known.getLicenses().forEach(choice::addLicense);
            } else {
                License own = new License();
                own.setName(licence.name() == null ? licence.url() : licence.name());
                own.setUrl(licence.url());
                choice.addLicense(own);
            }
        }
        return choice.getLicenses() == null ? null : choice;
    }

    private static LicenseChoice known(Licence licence) {
        LicenseChoice byName = licence.name() == null ? null : LicenseResolver.resolve(licence.name(), false);
        return byName != null || licence.url() == null ? byName : LicenseResolver.resolve(licence.url(), false);
    }

    private static Component file(ImageEntry entry) {
        Component component = component(Component.Type.FILE, entry.path(), null);
        component.setBomRef(entry.path());
        component.addHash(new Hash(Hash.Algorithm.SHA_256, entry.sha256()));
        component.addProperty(new Property("unikernel:origin", entry.origin()));
        return component;
    }

    private static Component component(Component.Type type, String name, String version) {
        Component component = new Component();
        component.setType(type);
        component.setName(name);
        component.setVersion(version);
        return component;
    }

    private ImageEntry entry(String path) {
        return summary.entries().stream()
                .filter(entry -> entry.path().equals(path))
                .findFirst()
                .orElseThrow();
    }
}
