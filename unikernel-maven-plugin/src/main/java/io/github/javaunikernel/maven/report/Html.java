// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.report;

import java.util.List;
import java.util.regex.Pattern;

/** Text of HTML. Whatever is not written by this package itself is escaped. */
final class Html {

    private static final Pattern CODE = Pattern.compile("`([^`]+)`");

    private final StringBuilder text = new StringBuilder();

    /** Text as it is shown: no character of it is taken for markup, in attributes neither. */
    static String escaped(String text) {
        return text.replace("&", "&amp;")
                .replace("<", "&lt;")
                .replace(">", "&gt;")
                .replace("\"", "&quot;")
                .replace("'", "&#39;");
    }

    /** Markup that is correct already. */
    Html markup(String markup) {
        text.append(markup).append('\n');
        return this;
    }

    /** An element with text in it. */
    Html element(String name, String content) {
        return markup("<" + name + ">" + escaped(content) + "</" + name + ">");
    }

    /** A paragraph, in which text between back quotes is code. */
    Html paragraph(String content) {
        return markup("<p>" + inline(content) + "</p>");
    }

    /** A list of sentences or names, in which text between back quotes is code. */
    Html list(List<String> items) {
        markup("<ul>");
        items.forEach(item -> markup("<li>" + inline(item) + "</li>"));
        return markup("</ul>");
    }

    /**
     * A table, which scrolls by itself where it is too wide.
     *
     * @param headings those of columns of numbers end with '#', which is not shown
     * @param rows of as many cells, in which text between back quotes is code
     */
    Html table(List<String> headings, List<List<String>> rows) {
        markup("<div class=\"table\"><table><thead><tr>");
        headings.forEach(heading -> markup("<th" + kind(heading) + ">" + escaped(heading.replace("#", "")) + "</th>"));
        markup("</tr></thead><tbody>");
        for (List<String> row : rows) {
            StringBuilder cells = new StringBuilder("<tr>");
            for (int i = 0; i < headings.size(); i++) {
                cells.append("<td").append(kind(headings.get(i))).append('>');
                cells.append(inline(row.get(i))).append("</td>");
            }
            markup(cells.append("</tr>").toString());
        }
        return markup("</tbody></table></div>");
    }

    private static String kind(String heading) {
        return heading.endsWith("#") ? " class=\"number\"" : "";
    }

    private static String inline(String content) {
        return CODE.matcher(escaped(content)).replaceAll("<code>$1</code>");
    }

    /** Text in which no character starts code. */
    static String code(String content) {
        return content.isEmpty() || content.contains("`") ? content : "`" + content + "`";
    }

    @Override
    public String toString() {
        return text.toString();
    }
}
