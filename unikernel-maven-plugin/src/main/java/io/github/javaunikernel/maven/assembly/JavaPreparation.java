// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.assembly;

import io.github.javaunikernel.maven.boot.ClassDataAddress;
import io.github.javaunikernel.maven.boot.GivenOptions;
import io.github.javaunikernel.maven.boot.GuestMemory;
import io.github.javaunikernel.maven.boot.JvmOptions;
import io.github.javaunikernel.maven.runtime.ClassDataMode;
import io.github.javaunikernel.maven.runtime.JavaHome;
import io.github.javaunikernel.maven.runtime.LinkedModules;
import io.github.javaunikernel.maven.runtime.LocaleChoice;
import io.github.javaunikernel.maven.runtime.ModuleAnalysis;
import io.github.javaunikernel.maven.runtime.ModuleReasons;
import io.github.javaunikernel.maven.runtime.OptionProof;
import io.github.javaunikernel.maven.runtime.RuntimeLinker;
import io.github.javaunikernel.maven.runtime.RuntimeSpec;
import io.github.javaunikernel.maven.settings.SettingException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Consumer;

/** Prepares what only a Java program needs: its main class, a linked runtime, class data and the JVM's options. */
final class JavaPreparation {

    /** The module that draws. */
    private static final String DESKTOP = "java.desktop";

    private final ImageRequest request;
    private final Consumer<String> progress;
    private final Consumer<String> warnings;

    JavaPreparation(ImageRequest request, Consumer<String> progress, Consumer<String> warnings) {
        this.request = request;
        this.progress = progress;
        this.warnings = warnings;
    }

    /** Does all of it, in the order in which faults are best reported. */
    JavaProgram prepare() throws IOException, SettingException {
        Application application = request.application();
        int feature = request.runtime().jdk().feature();
        String mainClass = MainClass.find(application.mainClass(), application.allJars(), feature);
        new ClassVersions(feature, warnings).check(application.classPath(), application.otherJars(), mainClass);
        NeededModules needed = modules();
        Launch launch = Launch.of(application, mainClass);
        ClassDataChoice classData = classData(launch);
        Path runtime = runtime(needed.reasons().keySet(), classData.mode() == ClassDataMode.JDK);
        List<String> linked = RuntimeLinker.modules(runtime);
        List<String> options = options(launch.options(Set.copyOf(linked), feature));
        prove(runtime, launch, options);
        ImageClassData.Result archive = classData.mode().isOfApplication()
                ? new ImageClassData(request, progress, warnings).of(classData.mode(), runtime, mainClass, options)
                : ImageClassData.Result.NONE;
        return new JavaProgram(
                mainClass,
                runtime,
                archive,
                launch,
                options,
                classData.trainable(),
                needed.drawing(),
                linked,
                needed.reasons(),
                LinkedModules.of(runtime));
    }

    /**
     * What the runtime is linked of.
     *
     * @param reasons why, for each root module
     * @param drawing whether text is drawn, so that fonts are needed
     */
    private record NeededModules(Map<String, String> reasons, boolean drawing) {}

    private NeededModules modules() throws IOException, SettingException {
        RuntimeChoice choice = request.runtime();
        ModuleAnalysis analysis = new ModuleAnalysis(choice.jdk());
        analysis.check("modules", choice.modules());
        analysis.check("additionalModules", choice.additionalModules());
        LocaleChoice.check(choice.locales());
        Map<String, String> reasons = new TreeMap<>();
        boolean drawing =
                choice.modules().contains(DESKTOP) || choice.additionalModules().contains(DESKTOP);
        if (choice.modules().isEmpty()) {
            ModuleReasons found = found(analysis);
            reasons.putAll(found.all());
            drawing |= found.isDrawing();
        }
        choice.modules().forEach(module -> reasons.put(module, "the parameter modules"));
        Set<String> modules = new TreeSet<>(reasons.keySet());
        LocaleChoice.apply(choice.locales(), modules);
        reasons.keySet().retainAll(modules);
        modules.forEach(module -> reasons.putIfAbsent(module, "the parameter locales"));
        choice.additionalModules().forEach(module -> reasons.putIfAbsent(module, "the parameter additionalModules"));
        return new NeededModules(reasons, drawing);
    }

    private ModuleReasons found(ModuleAnalysis analysis) throws IOException {
        Application application = request.application();
        List<Path> jars = new ArrayList<>(application.allJars());
        jars.addAll(jarsAmongFiles());
        ModuleReasons reasons =
                analysis.modulesUsedBy(jars, application.options().all(), application.environment());
        reasons.added().forEach((module, reason) -> progress.accept("Added " + module + ": " + reason));
        return reasons;
    }

    /** Agents and plugins come as files of the image, too. */
    private List<Path> jarsAmongFiles() throws IOException {
        return HostFiles.own(request).stream()
                .filter(file -> file.toString().endsWith(".jar") && Files.isRegularFile(file))
                .toList();
    }

    private ClassDataChoice classData(Launch launch) throws SettingException {
        JavaHome jdk = request.runtime().jdk();
        ClassDataMode wanted = request.runtime().classData();
        if (wanted != ClassDataMode.OFF && !jdk.isRunnable()) {
            wanted = ClassDataMode.OFF;
            warnings.accept("The image has no class data and starts more slowly: they are made by running the linked"
                    + " runtime, and this machine cannot run programs for Linux on x86-64. Build on one that can, or"
                    + " set cds to off.");
        }
        int memory = request.machine().memory();
        if (GuestMemory.isScarce(memory)
                && (!wanted.isOfApplication() || request.runtime().classDataAddress() == ClassDataAddress.RANDOM)) {
            warnings.accept(
                    memory + " MiB are enough only if all classes come from class data whose pages can be dropped"
                            + " and read again. Run unikernel:train once, and set cdsAddress to fixed.");
        }
        Application application = request.application();
        ClassDataChoice choice = ClassDataChoice.of(
                wanted,
                application,
                launch,
                new GivenOptions(options(List.of()), application.options().environment()));
        if (!choice.note().isEmpty()) {
            progress.accept(choice.note());
        }
        return choice;
    }

    private Path runtime(Set<String> modules, boolean classData) throws IOException, SettingException {
        RuntimeChoice choice = request.runtime();
        RuntimeSpec spec = new RuntimeSpec(
                choice.jdk(),
                modules,
                choice.compress(),
                choice.stripDebug(),
                classData,
                LocaleChoice.kept(choice.locales(), modules),
                request.time());
        RuntimeLinker.Linked linked = new RuntimeLinker(choice.cache(), choice.cacheLimit()).link(spec);
        progress.accept((linked.fresh() ? "Linked" : "Reusing") + " a runtime of Java "
                + choice.jdk().version() + " with " + String.join(", ", modules));
        return linked.path();
    }

    /** All options of the JVM on its command line, in their order. */
    private List<String> options(List<String> fromManifest) throws SettingException {
        Machine machine = request.machine();
        GivenOptions given = request.application().options();
        List<String> options =
                new ArrayList<>(JvmOptions.forMachine(machine.memory(), machine.vcpus(), machine.startup(), given));
        options.addAll(request.runtime().classDataAddress().options(given));
        options.addAll(fromManifest);
        options.addAll(given.arguments());
        return options;
    }

    private void prove(Path runtime, Launch launch, List<String> options) throws IOException, SettingException {
        JavaHome jdk = request.runtime().jdk();
        if (!jdk.isRunnable()) {
            warnings.accept("The options of the JVM are not tried: this machine cannot run programs for Linux on"
                    + " x86-64. A wrong one shows when the image starts; unikernel:check finds it.");
            return;
        }
        Application application = request.application();
        OptionProof proof = new OptionProof(jdk, runtime);
        proof.prove(options, application.options().environment()).forEach(warnings);
        if (application.asModule()) {
            proof.proveModules(launch.command(
                    application.classPath().stream().map(Path::toString).toList()));
        }
    }
}
