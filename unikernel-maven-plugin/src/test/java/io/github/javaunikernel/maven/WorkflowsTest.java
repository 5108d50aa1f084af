// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.yaml.snakeyaml.LoaderOptions;
import org.yaml.snakeyaml.Yaml;

/** The manual's examples for continuous integration, as far as they can be checked without the services. */
class WorkflowsTest {

    private static final Path EXAMPLES = Path.of("../src/site/resources/ci");
    private static final Path GOALS = Path.of("src/main/java/io/github/javaunikernel/maven");
    private static final Pattern GOAL = Pattern.compile("unikernel:([a-z-]+)");
    private static final Pattern PROPERTY = Pattern.compile("-D(unikernel\\.[A-Za-z.]+)");

    /** Keys that are there twice are refused. */
    private static Map<String, Object> example(String name) throws IOException {
        LoaderOptions options = new LoaderOptions();
        options.setAllowDuplicateKeys(false);
        return new Yaml(options).load(Files.readString(EXAMPLES.resolve(name)));
    }

    private static Map<?, ?> map(Object node) {
        return (Map<?, ?>) node;
    }

    private static List<?> list(Object node) {
        return (List<?>) node;
    }

    /** What the annotations of the goals say, which are not there at run time. */
    private static Set<String> inGoals(String annotation) throws IOException {
        Pattern value = Pattern.compile(annotation + " = \"([^\"]+)\"");
        Set<String> found = new TreeSet<>();
        try (var files = Files.list(GOALS)) {
            for (Path file :
                    files.filter(path -> path.toString().endsWith("Mojo.java")).toList()) {
                Matcher matcher = value.matcher(Files.readString(file));
                while (matcher.find()) {
                    found.add(matcher.group(1));
                }
            }
        }
        return found;
    }

    private static Set<String> all(Pattern pattern, Collection<String> scripts) {
        return scripts.stream()
                .flatMap(script -> pattern.matcher(script).results())
                .map(result -> result.group(1))
                .collect(Collectors.toCollection(TreeSet::new));
    }

    private static void check(List<String> scripts) throws Exception {
        assertEquals(Set.of("ami", "check", "report"), all(GOAL, scripts));
        assertTrue(inGoals("name").containsAll(all(GOAL, scripts)), scripts.toString());
        assertTrue(
                inGoals("property").containsAll(all(PROPERTY, scripts)),
                all(PROPERTY, scripts).toString());
        for (String script : scripts) {
            Process shell =
                    new ProcessBuilder("sh", "-n").redirectErrorStream(true).start();
            try (var in = shell.getOutputStream()) {
                in.write(script.getBytes(StandardCharsets.UTF_8));
            }
            String problem = new String(shell.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            assertEquals(0, shell.waitFor(), problem + " in " + script);
        }
    }

    @Test
    void theOneForGithubIsWhole() throws Exception {
        Map<String, Object> workflow = example("github.yml");
        // "on" is a truth value of YAML 1.1.
        Object events = ((Map<?, ?>) workflow).get(Boolean.TRUE);
        assertEquals(Set.of("push", "pull_request"), map(events).keySet());
        assertEquals(Map.of("contents", "read"), workflow.get("permissions"));
        List<String> scripts = new ArrayList<>();
        Map<?, ?> jobs = map(workflow.get("jobs"));
        for (Object job : jobs.values()) {
            assertTrue(map(job).get("runs-on") instanceof String, job.toString());
            Object needed = map(job).get("needs");
            assertTrue(needed == null || jobs.containsKey(needed), job.toString());
            for (Object step : list(map(job).get("steps"))) {
                Object uses = map(step).get("uses");
                Object run = map(step).get("run");
                assertTrue((uses == null) != (run == null), step.toString());
                if (run == null) {
                    assertTrue(uses.toString().matches("[a-z-]+/[a-z-]+@v\\d+"), step.toString());
                } else {
                    scripts.add(run.toString());
                }
            }
        }
        check(scripts);
    }

    @Test
    void theOneForGitlabIsWhole() throws Exception {
        Map<String, Object> pipeline = example("gitlab.yml");
        List<String> scripts = new ArrayList<>();
        List<?> stages = list(pipeline.get("stages"));
        for (Object stage : stages) {
            Map<?, ?> job = map(pipeline.get(stage));
            assertEquals(stage, job.get("stage"));
            for (String part : List.of("before_script", "script", "after_script")) {
                if (job.containsKey(part)) {
                    list(job.get(part)).forEach(line -> scripts.add((String) line));
                }
            }
        }
        assertEquals(Set.of("image", "variables", "cache", "stages", "build", "deploy"), pipeline.keySet());
        check(scripts);
    }
}
