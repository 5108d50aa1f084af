// SPDX-License-Identifier: Apache-2.0
package it;

public class Library {}
