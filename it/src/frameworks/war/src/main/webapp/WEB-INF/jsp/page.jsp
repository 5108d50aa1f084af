<%-- SPDX-License-Identifier: Apache-2.0 --%>
<%@ page contentType="text/html; charset=utf-8" pageEncoding="utf-8" import="java.util.stream.IntStream" %>
<%@ taglib prefix="c" uri="jakarta.tags.core" %>
<html><body>
<p>Grüße, ${name}</p>
<c:forEach var="number" items="${numbers}"><b>${number}</b></c:forEach>
<p><%= IntStream.rangeClosed(1, 10).sum() %></p>
</body></html>
