// SPDX-License-Identifier: Apache-2.0
module modular {
    uses java.nio.file.spi.FileTypeDetector;
}
