// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import io.github.javaunikernel.maven.aws.AmiResult;
import java.io.IOException;
import java.lang.reflect.RecordComponent;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/** The CloudFormation template of the manual is well-formed, and the manual feeds it with what a deploy reports. */
class CloudFormationTest {
    private static final Path SITE = Path.of("..", "src", "site");
    private static final Pattern IN_TEXT = Pattern.compile("\\$\\{([A-Za-z]+)[^}]*}");

    private final JsonObject template =
            JsonParser.parseString(read("resources/cloudformation.json")).getAsJsonObject();

    private static String read(String file) {
        try {
            return Files.readString(SITE.resolve(file));
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    private JsonObject properties(String resource) {
        return template.getAsJsonObject("Resources").getAsJsonObject(resource).getAsJsonObject("Properties");
    }

    @Test
    void everyReferenceIsToSomethingThatIsDeclared() {
        Set<String> declared =
                new TreeSet<>(template.getAsJsonObject("Parameters").keySet());
        declared.addAll(template.getAsJsonObject("Resources").keySet());
        declared.add("AWS::StackName");
        Set<String> used = new TreeSet<>();
        collect(template, used);
        assertEquals(declared, used, "what is declared is used, and the other way round");
    }

    private static void collect(JsonElement element, Set<String> used) {
        if (element instanceof JsonArray array) {
            array.forEach(item -> collect(item, used));
        }
        if (element instanceof JsonObject object) {
            object.entrySet().forEach(entry -> collect(entry, used));
        }
    }

    private static void collect(Map.Entry<String, JsonElement> entry, Set<String> used) {
        switch (entry.getKey()) {
            case "Ref" -> used.add(entry.getValue().getAsString());
            case "Fn::GetAtt" ->
                used.add(entry.getValue().getAsJsonArray().get(0).getAsString());
            case "Fn::Sub" -> {
                for (Matcher name = IN_TEXT.matcher(entry.getValue().getAsString()); name.find(); ) {
                    used.add(name.group(1));
                }
            }
            default -> collect(entry.getValue(), used);
        }
    }

    @Test
    void theInstanceIsOfTheImageAndSpeaksTheNewerMetadataProtocolAlone() {
        assertEquals(
                "AWS::EC2::Image::Id",
                template.getAsJsonObject("Parameters")
                        .getAsJsonObject("ImageId")
                        .get("Type")
                        .getAsString());
        JsonObject data = properties("LaunchTemplate").getAsJsonObject("LaunchTemplateData");
        assertEquals("{\"Ref\":\"ImageId\"}", data.get("ImageId").toString());
        assertEquals("{\"Ref\":\"InstanceType\"}", data.get("InstanceType").toString());
        assertEquals(
                "required",
                data.getAsJsonObject("MetadataOptions").get("HttpTokens").getAsString());
        assertEquals(
                "{\"Ref\":\"LaunchTemplate\"}",
                properties("Instance")
                        .getAsJsonObject("LaunchTemplate")
                        .get("LaunchTemplateId")
                        .toString());
        JsonObject rule = properties("SecurityGroup")
                .getAsJsonArray("SecurityGroupIngress")
                .get(0)
                .getAsJsonObject();
        assertEquals("{\"Ref\":\"Port\"}", rule.get("FromPort").toString());
        assertEquals("{\"Ref\":\"Port\"}", rule.get("ToPort").toString());
    }

    @Test
    void theManualFeedsItFromTheReportOfADeploy() {
        String page = read("markdown/ec2.md");
        Set<String> reported = Arrays.stream(AmiResult.class.getRecordComponents())
                .map(RecordComponent::getName)
                .collect(Collectors.toSet());
        Matcher command = Pattern.compile("jq -r '\\.\\[0]\\.([a-zA-Z]+)' target/[a-z]+\\.ami\\.json")
                .matcher(page);
        assertTrue(command.find(), "a command that reads the report");
        assertTrue(reported.contains(command.group(1)), command.group());
        Matcher given = Pattern.compile("--parameter-overrides (.*?)\\naws ", Pattern.DOTALL)
                .matcher(page);
        assertTrue(given.find(), "the command that makes the stack");
        Set<String> parameters = template.getAsJsonObject("Parameters").keySet();
        Matcher name = Pattern.compile("(?:^|\\s)([A-Z][A-Za-z]+)=").matcher(given.group(1));
        while (name.find()) {
            assertTrue(parameters.contains(name.group(1)), name.group(1));
        }
        assertTrue(given.group(1).contains("ImageId=") && given.group(1).contains("Subnet="), given.group(1));
    }
}
