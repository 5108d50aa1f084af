// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.InputStream;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import javax.xml.parsers.DocumentBuilderFactory;
import org.apache.maven.plugin.descriptor.MojoDescriptor;
import org.junit.jupiter.api.Test;
import org.w3c.dom.NodeList;

/** What Maven and Eclipse read of the plugin. */
class DescriptorTest {

    /** Eclipse would mark each project in which one that is not listed is bound to a phase. */
    @Test
    void eclipsePassesOverEachGoalThatHasAPhase() throws Exception {
        Set<String> listed = goalsForEclipse();
        Set<String> bound = goals(true);
        assertTrue(bound.contains("image"), bound.toString());
        bound.removeAll(listed);
        assertEquals(Set.of(), bound);
        listed.removeAll(goals(false));
        assertEquals(Set.of(), listed);
    }

    /** Each installation would copy the image. */
    @Test
    void imagesAreAttachedOnRequestOnly() throws Exception {
        assertEquals(
                Set.of("image false"),
                GoalParameter.all().stream()
                        .filter(parameter -> parameter.property().equals("attach"))
                        .map(parameter -> parameter.goal() + " " + parameter.preset())
                        .collect(Collectors.toSet()));
    }

    private static Set<String> goals(boolean withPhase) throws Exception {
        return ConfiguredGoal.plugin().getMojos().stream()
                .filter(goal -> !withPhase || goal.getPhase() != null)
                .map(MojoDescriptor::getGoal)
                .collect(Collectors.toCollection(TreeSet::new));
    }

    private static Set<String> goalsForEclipse() throws Exception {
        try (InputStream file =
                DescriptorTest.class.getResourceAsStream("/META-INF/m2e/lifecycle-mapping-metadata.xml")) {
            NodeList goals = DocumentBuilderFactory.newInstance()
                    .newDocumentBuilder()
                    .parse(file)
                    .getElementsByTagName("goal");
            return IntStream.range(0, goals.getLength())
                    .mapToObj(i -> goals.item(i).getTextContent())
                    .collect(Collectors.toCollection(TreeSet::new));
        }
    }
}
