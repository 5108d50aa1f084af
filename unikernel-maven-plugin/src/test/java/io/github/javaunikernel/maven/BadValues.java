// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven;

import java.lang.reflect.Field;
import java.lang.reflect.ParameterizedType;
import java.lang.reflect.Type;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.apache.maven.plugin.descriptor.Parameter;

/** Values of every kind that a script, a slip or an attacker gives a parameter, by the type of the parameter. */
final class BadValues {

    private BadValues() {}

    /**
     * A value.
     *
     * @param property by which it is given; empty if only a POM can give it
     * @param pom element with it
     */
    record Value(String kind, String property, String text, String pom) {}

    static List<Value> of(GoalTrial trial, Parameter parameter) throws NoSuchFieldException {
        Field field = ConfiguredGoal.field(trial.type(), parameter.getName());
        Type[] elements = field.getGenericType() instanceof ParameterizedType several
                ? several.getActualTypeArguments()
                : new Type[] {field.getType()};
        boolean several = field.getGenericType() instanceof ParameterizedType;
        Map<String, String> texts = texts(trial, (Class<?>) elements[elements.length - 1]);
        if (several && elements.length == 1) {
            boolean numbers = elements[0] == Integer.class;
            texts.put("twice", numbers ? "80,80" : "a,a");
            texts.put("gap", numbers ? "80,,81" : "a,,b");
        }
        String property = String.valueOf(parameter.getExpression()).replaceFirst("^\\$\\{(.*)}$", "$1");
        String name = parameter.getName();
        List<Value> values = new ArrayList<>();
        texts.forEach((kind, text) -> values.add(new Value(
                kind,
                property.startsWith("unikernel.") ? property : "",
                text,
                "<" + name + "><any>" + text + "</any></" + name + ">")));
        if (elements.length == 2) {
            Map.of("reserved key", "aws:x", "long key", "k".repeat(5000))
                    .forEach((kind, key) -> values.add(
                            new Value(kind, "", key, "<" + name + "><" + key + ">a</" + key + "></" + name + ">")));
            values.add(new Value("a text", "", "a=b", "<" + name + ">a=b</" + name + ">"));
        }
        return values;
    }

    private static Map<String, String> texts(GoalTrial trial, Class<?> type) {
        Map<String, String> texts = new LinkedHashMap<>(Map.of("empty", "", "blank", " "));
        if (type == int.class || type == Integer.class) {
            texts.putAll(Map.of(
                    "word", "many",
                    "negative", "-1",
                    "least", "-2147483648",
                    "most", "2147483647",
                    "huge", "99999999999",
                    "fraction", "1.5",
                    "zero", "0"));
            return texts;
        }
        texts.put("word", "no-such-thing");
        if (type != boolean.class) {
            texts.put("missing", trial.place() + "/none/such");
            texts.put("directory", trial.place() + "/directory");
            texts.put("file", trial.place() + "/file");
            texts.put("below a file", trial.place() + "/file/inner");
            texts.put("control", "a\u0007b");
            texts.put("lines", "a\nb");
            texts.put("long", "x".repeat(5000));
            texts.put("number", "-1");
            texts.put("spaces", "a b");
            texts.put("quotes", "a'\"$`\\b");
            texts.put("unicode", "\u00e4\ud83d\ude00");
            texts.put("upwards", "../up");
        }
        return texts;
    }
}
