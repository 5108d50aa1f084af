// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven;

import java.io.Reader;
import java.io.StringReader;
import java.lang.reflect.Field;
import java.lang.reflect.Proxy;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.maven.artifact.DefaultArtifact;
import org.apache.maven.artifact.handler.DefaultArtifactHandler;
import org.apache.maven.execution.DefaultMavenExecutionRequest;
import org.apache.maven.execution.DefaultMavenExecutionResult;
import org.apache.maven.execution.MavenSession;
import org.apache.maven.model.Build;
import org.apache.maven.model.Model;
import org.apache.maven.model.Plugin;
import org.apache.maven.model.Reporting;
import org.apache.maven.plugin.MojoExecution;
import org.apache.maven.plugin.PluginParameterExpressionEvaluator;
import org.apache.maven.plugin.descriptor.MojoDescriptor;
import org.apache.maven.plugin.descriptor.PluginDescriptor;
import org.apache.maven.plugin.descriptor.PluginDescriptorBuilder;
import org.apache.maven.plugin.logging.Log;
import org.apache.maven.project.MavenProject;
import org.codehaus.plexus.classworlds.ClassWorld;
import org.codehaus.plexus.classworlds.realm.ClassRealm;
import org.codehaus.plexus.component.configurator.BasicComponentConfigurator;
import org.codehaus.plexus.component.configurator.ComponentConfigurationException;
import org.codehaus.plexus.component.repository.ComponentRequirement;
import org.codehaus.plexus.configuration.PlexusConfiguration;
import org.codehaus.plexus.configuration.xml.XmlPlexusConfiguration;
import org.codehaus.plexus.util.xml.Xpp3Dom;
import org.codehaus.plexus.util.xml.Xpp3DomBuilder;

/**
 * Goals as Maven makes them, with its own configurator: the parameters have the values that properties and a POM give
 * them, or the defaults of the plugin's descriptor.
 */
final class ConfiguredGoal {

    private static final Path DESCRIPTOR = Path.of("target/classes/META-INF/maven/plugin.xml");

    private ConfiguredGoal() {}

    /** The plugin as its descriptor has it. */
    static PluginDescriptor plugin() throws Exception {
        try (Reader reader = Files.newBufferedReader(DESCRIPTOR)) {
            return new PluginDescriptorBuilder().build(reader);
        }
    }

    /** A project of packaging jar, whose classes may be there. */
    static MavenProject project(Path directory) {
        Model model = new Model();
        model.setGroupId("org.example");
        model.setArtifactId("shop");
        model.setVersion("1.0");
        model.setPackaging("jar");
        Build build = new Build();
        build.setDirectory(directory.resolve("target").toString());
        build.setOutputDirectory(directory.resolve("target/classes").toString());
        build.setFinalName("shop-1.0");
        model.setBuild(build);
        Reporting reporting = new Reporting();
        reporting.setOutputDirectory(directory.resolve("target/site").toString());
        model.setReporting(reporting);
        MavenProject project = new MavenProject(model);
        project.setFile(directory.resolve("pom.xml").toFile());
        project.setArtifact(new DefaultArtifact(
                "org.example", "shop", "1.0", "compile", "jar", null, new DefaultArtifactHandler("jar")));
        return project;
    }

    /**
     * Makes a goal.
     *
     * @param properties of the command line
     * @param pom elements of the plugin's configuration
     */
    static AbstractUnikernelMojo of(
            MojoDescriptor descriptor, MavenProject project, Map<String, String> properties, String pom, Log log)
            throws Exception {
        DefaultMavenExecutionRequest request = new DefaultMavenExecutionRequest();
        properties.forEach(request.getUserProperties()::setProperty);
        request.getSystemProperties().putAll(System.getProperties());
        @SuppressWarnings("deprecation")
        MavenSession session = new MavenSession(null, null, request, new DefaultMavenExecutionResult());
        session.setProjects(List.of(project));
        Xpp3Dom configuration = Xpp3DomBuilder.build(new StringReader("<configuration>" + pom + "</configuration>"));
        Xpp3Dom merged = new Xpp3Dom("configuration");
        PlexusConfiguration defaults = descriptor.getMojoConfiguration();
        for (PlexusConfiguration preset : defaults.getChildren()) {
            Xpp3Dom dom = dom(preset);
            Xpp3Dom given = configuration.getChild(preset.getName());
            merged.addChild(Xpp3Dom.mergeXpp3Dom(given == null ? null : new Xpp3Dom(given), dom, Boolean.TRUE));
        }
        for (Xpp3Dom given : configuration.getChildren()) {
            if (merged.getChild(given.getName()) == null) {
                merged.addChild(new Xpp3Dom(given));
            }
        }
        Plugin plugin = new Plugin();
        plugin.setGroupId(descriptor.getPluginDescriptor().getGroupId());
        plugin.setArtifactId(descriptor.getPluginDescriptor().getArtifactId());
        plugin.setVersion(descriptor.getPluginDescriptor().getVersion());
        descriptor.getPluginDescriptor().setPlugin(plugin);
        MojoExecution execution = new MojoExecution(descriptor, "default-cli");
        execution.setConfiguration(merged);
        AbstractUnikernelMojo goal = (AbstractUnikernelMojo) Class.forName(descriptor.getImplementation())
                .getDeclaredConstructor()
                .newInstance();
        goal.setLog(log);
        goal.setPluginContext(new HashMap<>());
        ClassRealm realm = new ClassWorld("test", ConfiguredGoal.class.getClassLoader()).getRealm("test");
        new BasicComponentConfigurator()
                .configureComponent(
                        goal,
                        new XmlPlexusConfiguration(merged),
                        new PluginParameterExpressionEvaluator(session, execution),
                        realm);
        for (ComponentRequirement needed : descriptor.getRequirements()) {
            Field field = field(goal.getClass(), needed.getFieldName());
            field.setAccessible(true);
            field.set(goal, component(field.getType()));
        }
        for (var parameter : descriptor.getParameters()) {
            Field field = field(goal.getClass(), parameter.getName());
            field.setAccessible(true);
            if (parameter.isRequired() && field.get(goal) == null) {
                throw new ComponentConfigurationException(
                        "The parameters '" + parameter.getName() + "' are missing or invalid");
            }
        }
        return goal;
    }

    private static Xpp3Dom dom(PlexusConfiguration configuration) {
        Xpp3Dom dom = new Xpp3Dom(configuration.getName());
        dom.setValue(configuration.getValue(null));
        for (String name : configuration.getAttributeNames()) {
            dom.setAttribute(name, configuration.getAttribute(name, null));
        }
        return dom;
    }

    /** A service of Maven that is not there: it answers with nothing. */
    private static Object component(Class<?> type) {
        return Proxy.newProxyInstance(
                ConfiguredGoal.class.getClassLoader(), new Class<?>[] {type}, (proxy, method, arguments) -> {
                    if (method.getReturnType() == void.class
                            || !method.getReturnType().isPrimitive()) {
                        return null;
                    }
                    throw new UnsupportedOperationException(method.toString());
                });
    }

    static Field field(Class<?> type, String name) throws NoSuchFieldException {
        for (Class<?> at = type; at != null; at = at.getSuperclass()) {
            for (Field field : at.getDeclaredFields()) {
                if (field.getName().equals(name)) {
                    return field;
                }
            }
        }
        throw new NoSuchFieldException(name);
    }
}
