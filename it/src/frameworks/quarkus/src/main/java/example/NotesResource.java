// SPDX-License-Identifier: Apache-2.0
package example;

import io.smallrye.mutiny.Multi;
import jakarta.inject.Inject;
import jakarta.ws.rs.Consumes;
import jakarta.ws.rs.GET;
import jakarta.ws.rs.NotFoundException;
import jakarta.ws.rs.POST;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.QueryParam;
import jakarta.ws.rs.core.MediaType;
import java.io.IOException;
import java.nio.file.Files;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.time.LocalDate;
import java.util.HexFormat;
import java.util.List;
import org.jboss.resteasy.reactive.RestForm;
import org.jboss.resteasy.reactive.multipart.FileUpload;

@Path("/notes")
public class NotesResource {

    @Inject
    Notes notes;

    @GET
    public List<Note> all() {
        return notes.all();
    }

    @POST
    @Consumes(MediaType.TEXT_PLAIN)
    public Note add(String text) {
        return notes.add(text);
    }

    @GET
    @Path("/{id}")
    public Note one(int id) {
        return notes.find(id).orElseThrow(NotFoundException::new);
    }

    /** An answer that is written piece by piece. */
    @GET
    @Path("/many")
    public Multi<Note> many(@QueryParam("count") int count) {
        return Multi.createFrom().range(0, count).map(i -> new Note(i, "note " + i, LocalDate.EPOCH.plusDays(i)));
    }

    /** The file that the form became. */
    @POST
    @Path("/upload")
    @Consumes(MediaType.MULTIPART_FORM_DATA)
    public String upload(@RestForm("file") FileUpload file) throws IOException, GeneralSecurityException {
        byte[] content = Files.readAllBytes(file.uploadedFile());
        return file.fileName() + " " + content.length + " "
                + HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(content));
    }
}
