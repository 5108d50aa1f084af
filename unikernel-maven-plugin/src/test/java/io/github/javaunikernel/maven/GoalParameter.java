// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;
import javax.xml.parsers.DocumentBuilderFactory;
import org.w3c.dom.Element;
import org.w3c.dom.NodeList;

/**
 * A parameter of a goal that users may set, as the plugin's descriptor has it.
 *
 * @param property without the plugin's prefix; the name in angle brackets where there is none
 * @param preset the default, or empty text
 * @param description as in HTML
 */
record GoalParameter(
        String goal, String name, String property, String type, String preset, String since, String description) {

    private static final Path DESCRIPTOR = Path.of("target/classes/META-INF/maven/plugin.xml");

    /** All of them, without those of the goal help, which is generated. */
    static List<GoalParameter> all() throws Exception {
        Element plugin = DocumentBuilderFactory.newInstance()
                .newDocumentBuilder()
                .parse(DESCRIPTOR.toFile())
                .getDocumentElement();
        List<GoalParameter> found = new ArrayList<>();
        for (Element mojo : elements(plugin, "mojo")) {
            for (Element parameter : elements(mojo, "parameter")) {
                if (!text(mojo, "goal").equals("help")
                        && text(parameter, "editable").equals("true")) {
                    found.add(of(mojo, parameter));
                }
            }
        }
        return found;
    }

    private static GoalParameter of(Element mojo, Element parameter) {
        String name = text(parameter, "name");
        Optional<Element> configured = elements(mojo, "configuration").stream()
                .flatMap(configuration -> elements(configuration, name).stream())
                .findFirst();
        String property = configured
                .map(Element::getTextContent)
                .filter(text -> text.startsWith("${unikernel."))
                .map(text -> text.replaceFirst("^\\$\\{unikernel\\.(.*)}$", "$1"))
                .orElse("<" + name + ">");
        return new GoalParameter(
                text(mojo, "goal"),
                name,
                property,
                text(parameter, "type"),
                configured.map(element -> element.getAttribute("default-value")).orElse(""),
                text(parameter, "since"),
                text(parameter, "description"));
    }

    private static String text(Element parent, String name) {
        List<Element> found = elements(parent, name);
        return found.isEmpty() ? "" : found.get(0).getTextContent();
    }

    private static List<Element> elements(Element parent, String name) {
        NodeList nodes = parent.getElementsByTagName(name);
        return IntStream.range(0, nodes.getLength())
                .mapToObj(nodes::item)
                .map(Element.class::cast)
                .toList();
    }
}
