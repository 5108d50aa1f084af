// SPDX-License-Identifier: Apache-2.0
package example;

import java.io.IOException;
import java.nio.file.Path;
import org.apache.lucene.analysis.standard.StandardAnalyzer;
import org.apache.lucene.document.Document;
import org.apache.lucene.document.Field.Store;
import org.apache.lucene.document.IntField;
import org.apache.lucene.document.TextField;
import org.apache.lucene.index.DirectoryReader;
import org.apache.lucene.index.IndexWriter;
import org.apache.lucene.index.IndexWriterConfig;
import org.apache.lucene.index.Term;
import org.apache.lucene.queryparser.classic.ParseException;
import org.apache.lucene.queryparser.classic.QueryParser;
import org.apache.lucene.search.IndexSearcher;
import org.apache.lucene.search.TopDocs;
import org.apache.lucene.store.Directory;
import org.apache.lucene.store.FSDirectory;

/** Lucene's index in files of the working directory, read through mappings. */
final class Index {

    private Index() {
    }

    /** Adds documents to what earlier calls left, merges the index, and searches it. */
    static String search(int documents) throws IOException, ParseException {
        try (Directory directory = FSDirectory.open(Path.of("index"))) {
            try (IndexWriter writer = new IndexWriter(directory, new IndexWriterConfig(new StandardAnalyzer()))) {
                for (int i = 0; i < documents; i++) {
                    Document document = new Document();
                    document.add(new TextField("text", "Grüße number " + i + (i % 7 == 0 ? " lucky" : ""), Store.YES));
                    document.add(new IntField("number", i, Store.YES));
                    writer.addDocument(document);
                }
                writer.commit();
                writer.deleteDocuments(new Term("text", "13"));
                writer.forceMerge(1);
            }
            try (DirectoryReader reader = DirectoryReader.open(directory)) {
                IndexSearcher searcher = new IndexSearcher(reader);
                TopDocs lucky = searcher.search(
                        new QueryParser("text", new StandardAnalyzer()).parse("lucky AND grüße"), 10000);
                int sum = 0;
                for (var hit : lucky.scoreDocs) {
                    sum += searcher.storedFields().document(hit.doc).getField("number").numericValue().intValue();
                }
                return directory.getClass().getSimpleName() + ", " + reader.numDocs() + " documents, "
                        + lucky.totalHits.value + " found, sum " + sum;
            }
        }
    }
}
