<%-- SPDX-License-Identifier: Apache-2.0 --%>
<%@ page contentType="text/html; charset=utf-8" pageEncoding="utf-8" import="java.util.stream.IntStream" %>
<html><body>
<p>Grüße, ${param.name}</p>
<p><%= IntStream.rangeClosed(1, 10).sum() %></p>
</body></html>
