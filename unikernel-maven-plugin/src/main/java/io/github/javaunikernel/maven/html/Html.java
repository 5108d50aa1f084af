// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.html;

import io.github.javaunikernel.maven.settings.ExplainedException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.regex.Pattern;

/** Text of HTML. Whatever does not come as markup is escaped. */
public final class Html {

    private static final Pattern CODE = Pattern.compile("`([^`]+)`");

    private final StringBuilder text = new StringBuilder();

    /**
     * A page with its head and the beginning of its body; {@link #end} closes both.
     *
     * @param style more CSS than each page has
     */
    public static Html page(String title, String style) throws IOException {
        Html page = new Html();
        page.markup("<!DOCTYPE html>").markup("<html lang=\"en\"><head><meta charset=\"utf-8\">");
        page.markup("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">");
        page.element("title", title);
        page.markup("<style>").markup(style(Html.class, "page.css")).markup(style);
        return page.markup("</style></head><body><main>");
    }

    /** CSS beside a class, without the line about its licence. */
    public static String style(Class<?> owner, String file) throws IOException {
        try (InputStream in = owner.getResourceAsStream(file)) {
            if (in == null) {
                throw new ExplainedException("The plugin has no style for its pages. Install the plugin again.");
            }
            return new String(in.readAllBytes(), StandardCharsets.UTF_8)
                    .lines()
                    .skip(1)
                    .reduce("", (a, b) -> a + b + "\n");
        }
    }

    /** Ends a page. */
    public Html end() {
        return markup("</main></body></html>");
    }

    /** Text as it is shown: no character of it is taken for markup, in attributes neither. */
    public static String escaped(String text) {
        return text.replace("&", "&amp;")
                .replace("<", "&lt;")
                .replace(">", "&gt;")
                .replace("\"", "&quot;")
                .replace("'", "&#39;");
    }

    /** Markup that is correct already. */
    public Html markup(String markup) {
        text.append(markup).append('\n');
        return this;
    }

    /** An element with text in it. */
    public Html element(String name, String content) {
        return markup("<" + name + ">" + escaped(content) + "</" + name + ">");
    }

    /** A paragraph, in which text between back quotes is code. */
    public Html paragraph(String content) {
        return markup("<p>" + inline(content) + "</p>");
    }

    /** A list of sentences or names, in which text between back quotes is code. */
    public Html list(List<String> items) {
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
    public Html table(List<String> headings, List<List<String>> rows) {
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
    public static String code(String content) {
        return content.isEmpty() || content.contains("`") ? content : "`" + content + "`";
    }

    @Override
    public String toString() {
        return text.toString();
    }
}
