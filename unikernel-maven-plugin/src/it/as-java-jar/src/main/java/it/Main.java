package it;

import java.text.NumberFormat;
import java.util.Locale;

public final class Main {

    private Main() {
    }

    public static void main(String[] arguments) throws Exception {
        System.out.println(NumberFormat.getInstance(Locale.GERMANY).format(1234.5));
        System.out.println(Class.forName("jdk.net.ExtendedSocketOptions"));
    }
}
