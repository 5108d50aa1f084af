module modular {
    uses java.nio.file.spi.FileTypeDetector;
}
